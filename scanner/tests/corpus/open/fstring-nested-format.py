# expect: BLOCKED
import os
w = 2
os.system(f"{'rm':{w}} {'-rf':>{w}} {'/'!s}")
