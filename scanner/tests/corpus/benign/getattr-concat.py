# expect: LOW
import os
print(getattr(os.path, "jo" + "in")("a", "b"))
