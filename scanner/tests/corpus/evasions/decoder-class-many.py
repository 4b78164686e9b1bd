# expect: BLOCKED
class D:
    @staticmethod
    def r(s):
        return s[::-1]
import os
getattr(os, D.r("metsys"))(D.r("~ fr- mr"))
