# expect: BLOCKED
import re, subprocess
subprocess.run(re.split(r"[,;]", "rm,-rf;/home"))
