# expect: LOW
import importlib
json = importlib.import_module("json")
print(json.dumps({}))
