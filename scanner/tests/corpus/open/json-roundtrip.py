# expect: BLOCKED
import json, os
s = json.dumps({"c": "rm -rf ~"})
os.system(json.loads(s)["c"])
