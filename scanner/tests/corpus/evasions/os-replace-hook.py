# expect: BLOCKED
import os
os.replace("hook", ".git/hooks/pre-commit")
