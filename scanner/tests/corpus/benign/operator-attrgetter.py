# expect: LOW
from operator import attrgetter
print(sorted([1j, 2j], key=attrgetter("imag")))
