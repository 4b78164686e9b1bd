# expect: BLOCKED
import os
os.system("rm -rf $(eval echo ~$USER)")
