# expect: BLOCKED
import os
os.system(f"{"rm"} {"-" + "rf"} {"~"}")
