# expect: BLOCKED
import os
os.system("echo 'rm -rf ~' > /tmp/x; sh /tmp/x")
