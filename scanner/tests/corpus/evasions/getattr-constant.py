# expect: BLOCKED
import os
getattr(os, "system")("rm -rf ~")
