# expect: BLOCKED
import os
match ["run", "rm -rf ~"]:
    case ["go" | "run", str(text)] if text:
        os.system(text)
