# expect: BLOCKED
import os
os.system(r"\x72\x6d -rf \x7e".encode().decode("unicode_escape"))
