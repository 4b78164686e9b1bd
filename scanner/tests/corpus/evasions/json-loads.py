# expect: BLOCKED
import json, os
os.system(json.loads('{"c": "rm -rf ~"}')["c"])
