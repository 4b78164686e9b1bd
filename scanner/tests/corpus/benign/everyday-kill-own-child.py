# expect: MEDIUM
import subprocess, signal, time

p = subprocess.Popen(["python", "-m", "http.server", "8001"])
try:
    time.sleep(2)
finally:
    p.send_signal(signal.SIGTERM)
    p.wait()
