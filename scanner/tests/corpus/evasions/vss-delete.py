# expect: BLOCKED
import os
os.system("vssadmin delete shadows /all /quiet")
