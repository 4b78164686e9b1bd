# expect: BLOCKED
import tomllib, os
os.system(tomllib.loads('c = "rm -rf ~"')["c"])
