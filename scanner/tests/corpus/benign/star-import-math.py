# expect: LOW
from math import *
from ctypes import *
print(pow(2, 3), sqrt(4), sizeof(c_int), len("x"))
