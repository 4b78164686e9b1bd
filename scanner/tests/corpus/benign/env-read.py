# expect: LOW
import os
debug = os.environ.get("DEBUG", "0")
print(debug == "1")
