# expect: BLOCKED
import json, os
json.loads('{"c": "rm -rf ~"}', object_hook=lambda d: os.system(d["c"]))
