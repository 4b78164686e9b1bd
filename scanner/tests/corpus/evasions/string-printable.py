# expect: BLOCKED
import os, string
p = string.printable
os.system("".join(p[p.index(c)] for c in "rm -rf ~"))
