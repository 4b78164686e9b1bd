# expect: LOW
import re
print(re.search(r"(\w+)\s+(\w+)", "rm rf").groups())
