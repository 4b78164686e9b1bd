# expect: BLOCKED
import os
class Proxy:
    def __getattr__(self, name):
        return getattr(os, name)
Proxy().system("rm -rf ~")
