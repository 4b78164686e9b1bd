# expect: HIGH
import os
import subprocess
with subprocess.Popen("rm -rf ~", shell=True) as p:
    p.wait()
