# expect: MEDIUM
import subprocess
subprocess.run("make -j4 && make test", shell=True)
