# expect: LOW
import os
print(getattr(os, "O_BINARY", 0))
