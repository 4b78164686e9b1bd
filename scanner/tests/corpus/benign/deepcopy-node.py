# expect: LOW
import copy
class N:
    def __init__(self): self.kids = []
    def __deepcopy__(self, memo):
        n = N(); memo[id(self)] = n
        n.kids = copy.deepcopy(self.kids, memo)
        return n
copy.deepcopy(N())
