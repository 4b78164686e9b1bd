# expect: LOW
import os
print(os.getenv("LANG"))
