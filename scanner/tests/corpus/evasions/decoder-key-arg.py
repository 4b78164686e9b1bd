# expect: BLOCKED
def x(b, k):
    return bytes(i ^ k for i in b).decode()
import os
getattr(os, x(b"v|vq`h", 5))(x(b"wh%(wc%{", 5))
