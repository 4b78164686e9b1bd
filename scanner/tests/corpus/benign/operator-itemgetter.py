# expect: LOW
from operator import itemgetter, attrgetter, methodcaller
rows = [{"n": 2}, {"n": 1}]
print(sorted(rows, key=itemgetter("n")), list(map(methodcaller("upper"), ["a"])))
