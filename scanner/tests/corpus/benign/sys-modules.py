# expect: LOW
import sys
print("numpy" in sys.modules)
