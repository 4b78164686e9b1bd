# expect: LOW
print("-" * 80)
