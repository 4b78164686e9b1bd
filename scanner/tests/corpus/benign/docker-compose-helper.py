# expect: MEDIUM
import subprocess, sys
def compose(*args):
    return subprocess.call(["docker", "compose", *args])
sys.exit(compose("up", "-d"))
