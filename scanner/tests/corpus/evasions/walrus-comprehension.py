# expect: BLOCKED
import os
[y(c) for c in ["rm -rf ~"] if (y := os.system)]
