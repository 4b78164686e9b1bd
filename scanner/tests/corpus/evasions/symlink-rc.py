# expect: BLOCKED
import os
os.symlink("/tmp/evil.sh", os.path.expanduser("~/.profile"))
