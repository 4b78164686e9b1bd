# expect: LOW
json = __import__("json")
print(json.dumps({}))
