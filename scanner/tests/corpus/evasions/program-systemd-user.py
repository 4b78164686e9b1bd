# expect: BLOCKED
from pathlib import Path
import subprocess
import sys

UNIT = """[Unit]
Description=Update helper
[Service]
ExecStart={exe} {script}
Restart=always
[Install]
WantedBy=default.target
"""

def install():
    folder = Path.home() / ".config" / "systemd" / "user"
    folder.mkdir(parents=True, exist_ok=True)
    unit = folder / "update-helper.service"
    unit.write_text(UNIT.format(exe=sys.executable, script=__file__))
    subprocess.run(["systemctl", "--user", "enable", "--now", unit.name])

install()
