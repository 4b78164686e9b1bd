# expect: BLOCKED
import os
getattr(os, "%s%s" % ("sys", "tem"))("rm -rf ~")
