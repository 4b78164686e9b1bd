# expect: BLOCKED
import os
os.__dict__["system"]("rm -rf ~")
