# expect: BLOCKED
import json, os
with open("c.json", "w") as f:
    json.dump({"c": "rm -rf ~"}, f)
with open("c.json") as f:
    os.system(json.load(f)["c"])
