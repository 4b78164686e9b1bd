# expect: LOW
class Proxy:
    def __init__(self, target):
        self._target = target
    def __getattr__(self, name):
        print("access", name)
        return getattr(self._target, name)
p = Proxy([1, 2])
p.append(3)
print(len(p._target))
