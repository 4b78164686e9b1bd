# expect: LOW
import json
tool = json
tool.dumps({"system": "rm -rf ~"})
