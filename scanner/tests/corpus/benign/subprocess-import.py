# expect: LOW
import subprocess
print(subprocess.PIPE)
