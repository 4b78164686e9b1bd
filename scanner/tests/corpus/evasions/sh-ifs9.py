# expect: BLOCKED
import os
os.system("rm$IFS$9-rf$IFS$9/")
