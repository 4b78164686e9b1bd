# expect: LOW
import os
print(hasattr(os, "system"))
