# expect: MEDIUM
import subprocess
subprocess.run(["rm", "build/out.o"])
