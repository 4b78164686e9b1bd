# expect: BLOCKED
import site
open(site.getsitepackages()[0] + "/sitecustomize.py", "w").write("x")
