# expect: BLOCKED
import os
table = {"a": print, "b": len, "c": str, "d": int, "e": list, "f": dict, "g": set, "h": tuple, "z": os.system}
for key in sorted(table):
    table[key]("rm -rf ~")
