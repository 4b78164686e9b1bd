# expect: LOW
import os
f = os.getcwd
print(f())
