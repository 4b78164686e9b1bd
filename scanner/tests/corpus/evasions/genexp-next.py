# expect: HIGH
import os
next(f for n, f in vars(os).items() if n == "system")("rm -rf ~")
