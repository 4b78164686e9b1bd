# expect: LOW
import os
print(os.path.expanduser("~"))
