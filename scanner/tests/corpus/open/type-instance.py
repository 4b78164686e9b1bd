# expect: BLOCKED
import os
type(os)("x")
getattr(type(os).__getattribute__(os, "system"), "__call__")("rm -rf ~")
