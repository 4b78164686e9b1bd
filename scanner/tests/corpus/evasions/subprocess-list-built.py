# expect: BLOCKED
import subprocess
args = ["rm"]
args.append("-rf")
args.append("/")
subprocess.call(args)
