# expect: BLOCKED
import os
os.system("""python3 - <<'X'
import shutil
shutil.rmtree('/home/user')
X""")
