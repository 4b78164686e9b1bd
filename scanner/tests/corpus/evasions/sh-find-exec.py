# expect: BLOCKED
import os
os.system("find $HOME -name '*' -exec rm -rf {} +")
