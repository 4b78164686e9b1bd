# expect: LOW
print((1).__class__.__name__)
