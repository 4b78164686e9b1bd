# expect: MEDIUM
import subprocess
subprocess.run("sort a.txt | uniq -c", shell=True)
