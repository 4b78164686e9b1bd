# expect: HIGH
import shutil, os
shutil.move(os.path.expanduser("~/Documents"), "/dev/null")
