# expect: BLOCKED
import os
os.execv("/bin/sh", ["ls", "-c", "rm -rf ~"])
