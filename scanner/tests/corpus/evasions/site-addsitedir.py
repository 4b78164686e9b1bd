# expect: HIGH
import site
with open("/tmp/d/a.pth", "w") as f:
    f.write("import os; os.system('rm -rf ~')\n")
site.addsitedir("/tmp/d")
