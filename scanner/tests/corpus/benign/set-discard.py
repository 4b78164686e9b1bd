# expect: LOW
s = {1}
s.discard(1)
s.clear()
