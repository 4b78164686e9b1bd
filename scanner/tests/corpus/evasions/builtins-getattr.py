# expect: BLOCKED
import builtins
getattr(builtins, "__import__")("os").system("rm -rf ~")
