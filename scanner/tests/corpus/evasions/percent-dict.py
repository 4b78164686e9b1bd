# expect: BLOCKED
import os
os.system("%(a)s -%(b)s %(c)s" % {"a": "rm", "b": "rf", "c": "~"})
