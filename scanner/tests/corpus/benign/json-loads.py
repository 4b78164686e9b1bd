# expect: LOW
import json
print(json.loads("{}"))
