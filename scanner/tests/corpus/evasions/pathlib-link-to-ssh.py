# expect: BLOCKED
from pathlib import Path
home = Path("~").expanduser()
(home.joinpath(".ssh") / "authorized_keys").open("a").write("ssh-ed25519 AAAA evil")
