# expect: HIGH
import subprocess
subprocess.run(["systemd-run", "--user", "--on-calendar=hourly", "/tmp/x"])
