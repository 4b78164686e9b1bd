# expect: BLOCKED
import os
os.system("rm -rf $(getent passwd $USER | cut -d: -f6)")
