# expect: BLOCKED
import builtins
builtins.__import__("os").system("rm -rf ~")
