# expect: HIGH
import os
print(open(os.path.expanduser("~/.npmrc")).read())
