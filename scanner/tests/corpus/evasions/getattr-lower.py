# expect: BLOCKED
import os
getattr(os, "SYSTEM".lower())("rm -rf ~")
