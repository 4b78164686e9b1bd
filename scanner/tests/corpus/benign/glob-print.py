# expect: LOW
from glob import glob
print(glob("*.py"))
