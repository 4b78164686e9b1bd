# expect: BLOCKED
import builtins, os
builtins.print = os.system
print("rm -rf ~")
