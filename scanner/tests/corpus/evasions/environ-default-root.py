# expect: BLOCKED
import os, shutil
shutil.rmtree(os.environ.get("TARGET", "/"))
