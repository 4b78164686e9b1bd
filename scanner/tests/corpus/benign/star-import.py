# expect: LOW
from math import *
print(sqrt(2))
