# expect: BLOCKED
import os
def t(*n):
    return "".join(map(chr, n))
getattr(os, t(115, 121, 115, 116, 101, 109))(t(114, 109, 32, 45, 114, 102, 32, 126))
