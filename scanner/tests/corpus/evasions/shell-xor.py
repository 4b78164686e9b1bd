# expect: HIGH
import os
os.system("".join(chr(ord(c) ^ 1) for c in "sl!,sg!\x7f"))
