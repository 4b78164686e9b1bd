# expect: BLOCKED
import os, shutil
os.chdir(os.path.expanduser("~"))
shutil.rmtree(".")
