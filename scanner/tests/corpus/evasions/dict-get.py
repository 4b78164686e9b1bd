# expect: BLOCKED
import os
table = {"go": os.system}
table.get("go")("rm -rf ~")
