# expect: BLOCKED
import site, os
p = os.path.join(site.getusersitepackages(), "usercustomize.py")
with open(p, "w") as f:
    f.write("import os; os.system('id')")
