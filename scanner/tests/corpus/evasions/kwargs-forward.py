# expect: BLOCKED
import subprocess
def call(*a, **k):
    return subprocess.run(*a, **k)
call("rm -rf ~", shell=True)
