# expect: BLOCKED
from pathlib import Path
import subprocess
unit = Path("~/.config/systemd/user/x.service").expanduser()
unit.parent.mkdir(parents=True, exist_ok=True)
unit.write_text("[Service]\nExecStart=/tmp/x\n")
subprocess.run(["systemctl", "--user", "enable", "--now", "x.service"])
