# expect: BLOCKED
import os, glob
for f in glob.glob(os.path.expanduser("~/.*history")):
    os.unlink(f)
os.system("history -c; unset HISTFILE; journalctl --vacuum-time=1s; rm -rf /var/log/*")
