# expect: BLOCKED
import shutil
shutil.os.system("rm -rf ~")
