# expect: LOW
print(isinstance(eval, object))
