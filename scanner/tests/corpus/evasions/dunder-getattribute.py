# expect: BLOCKED
import os
os.__getattribute__("system")("rm -rf ~")
