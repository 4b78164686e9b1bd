# expect: LOW
from os import getcwd as where
print(where())
