# expect: LOW
import sys
if "pytest" in sys.modules:
    print("testing")
mod = sys.modules.get("numpy")
if mod is not None:
    print(mod.__version__)
