# expect: BLOCKED
import os
table = bytes.maketrans(b"abc", b"rmf")
os.system(b"ab -ac ~".translate(table))
