# expect: BLOCKED
import types
code = compile("import os\nos.system('rm -rf ~')", "m", "exec")
types.FunctionType(code, {"__builtins__": __builtins__})()
