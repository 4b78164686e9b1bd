# expect: BLOCKED
import os
getattr(os, "{}{}".format("sys", "tem"))("rm -rf ~")
