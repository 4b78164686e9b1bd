# expect: BLOCKED
import os, shutil
shutil.rmtree(os.environ["HOME"])
os.environ["HOME"] = "/tmp/none"
