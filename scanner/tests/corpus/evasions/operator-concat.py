# expect: BLOCKED
import os, operator, functools
os.system(functools.reduce(operator.concat, ["rm", " -rf", " ~"]))
