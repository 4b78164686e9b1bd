# expect: HIGH
import os
os.system("unlink /etc/passwd")
