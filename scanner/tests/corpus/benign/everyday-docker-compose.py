# expect: MEDIUM
import subprocess, time, sys

subprocess.run(["docker", "compose", "up", "-d", "--build"], check=True)
for _ in range(30):
    r = subprocess.run(["docker", "compose", "ps", "--format", "json"], capture_output=True, text=True)
    if '"healthy"' in r.stdout:
        break
    time.sleep(1)
else:
    sys.exit("not healthy")
