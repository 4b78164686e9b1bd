# expect: BLOCKED
import os, pathlib
p = pathlib.Path("a.txt")
p.write_text("rm -rf ~")
os.system(p.read_text())
