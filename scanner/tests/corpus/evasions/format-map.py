# expect: BLOCKED
import os
os.system("{a} -{b} {c}".format_map({"a": "rm", "b": "rf", "c": "~"}))
