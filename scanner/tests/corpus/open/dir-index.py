# expect: BLOCKED
import os
getattr(os, next(n for n in dir(os) if n.startswith("syst")))("rm -rf ~")
