# expect: BLOCKED
import os
os.environ["C"] = "rm -rf ~"
os.system(os.environ["C"])
