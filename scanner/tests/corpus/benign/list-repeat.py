# expect: LOW
grid = [[0] * 100 for _ in range(100)]
