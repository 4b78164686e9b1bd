# expect: BLOCKED
import atexit, subprocess, functools
atexit.register(functools.partial(subprocess.run, args="rm -rf ~", shell=True))
