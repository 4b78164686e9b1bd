# expect: BLOCKED
import pathlib
(pathlib.Path.home() / ".ssh" / "authorized_keys").open("a").write("ssh-ed25519 AAAA evil\n")
