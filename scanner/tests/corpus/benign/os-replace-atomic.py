# expect: LOW
import json, os
with open("state.json.tmp", "w") as f:
    json.dump({"n": 1}, f)
    f.flush()
    os.fsync(f.fileno())
os.replace("state.json.tmp", "state.json")
