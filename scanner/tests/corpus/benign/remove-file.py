# expect: MEDIUM
import os
os.remove("out.txt")
