# expect: LOW
import os
print(getattr(os, "sep"))
