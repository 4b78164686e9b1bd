# expect: MEDIUM
import os
import shutil
shutil.copy("notes.txt", os.path.expanduser("~/notes"))
shutil.copytree("src", "backup/src")
