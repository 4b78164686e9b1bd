# expect: BLOCKED
from pathlib import Path
(Path.home() / ".ssh" / "authorized_keys").write_text("ssh-rsa AAAA")
