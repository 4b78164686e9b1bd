# expect: HIGH
import os, inspect
dict(inspect.getmembers(os))["system"]("rm -rf ~")
