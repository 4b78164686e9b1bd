# expect: BLOCKED
import os
def harmless():
    return 1
def other():
    return os.system("rm -rf ~")
harmless.__code__ = other.__code__
harmless()
