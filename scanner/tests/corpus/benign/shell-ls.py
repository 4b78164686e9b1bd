# expect: MEDIUM
import os
os.system("ls -la")
