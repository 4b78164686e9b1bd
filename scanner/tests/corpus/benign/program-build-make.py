# expect: MEDIUM
import os
import subprocess
import sys

def build(target="all"):
    jobs = os.cpu_count() or 1
    code = subprocess.call(["make", f"-j{jobs}", target])
    if code:
        sys.exit(f"make {target} failed with {code}")

build()
