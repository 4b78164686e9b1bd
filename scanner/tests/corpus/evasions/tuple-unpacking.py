# expect: BLOCKED
import os, json
a, b = json.dumps, os.system
b("rm -rf ~")
