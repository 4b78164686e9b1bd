# expect: BLOCKED
from pathlib import Path
p = Path.home() / ".config/autostart/x.desktop"
p.write_text("[Desktop Entry]\nExec=/tmp/x\n")
