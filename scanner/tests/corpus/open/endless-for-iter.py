# expect: MEDIUM
for _ in iter(int, 1):
    pass
