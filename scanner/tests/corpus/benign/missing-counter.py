# expect: LOW
class Words(dict):
    def __missing__(self, key):
        self[key] = 0
        return 0
w = Words()
for x in "a b a".split():
    w[x] += 1
print(w)
