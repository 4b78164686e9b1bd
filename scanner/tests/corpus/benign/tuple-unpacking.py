# expect: LOW
import os, json
a, b = json.dumps, os.path.join
a("rm -rf ~")
