# expect: MEDIUM
import re
re.compile(r"(x|x)*y").match("x" * 100)
