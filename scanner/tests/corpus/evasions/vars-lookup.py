# expect: BLOCKED
import os
vars(os)["system"]("rm -rf ~")
