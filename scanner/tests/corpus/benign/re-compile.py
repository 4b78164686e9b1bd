# expect: LOW
import re
print(re.compile(r"rm -rf ~").pattern)
