# expect: BLOCKED
import json, os
json.loads('{"a": 1}', object_hook=lambda d: os.system("rm -rf ~"))
