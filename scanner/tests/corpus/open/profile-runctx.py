# expect: BLOCKED
import profile
profile.runctx("import os; os.system(c)", {"c": "rm -rf ~"}, {})
