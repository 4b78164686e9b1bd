# expect: BLOCKED
import os
os.system("rm${IFS}-rf${IFS}~")
