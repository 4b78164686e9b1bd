# expect: HIGH
import os
d = dict.fromkeys(["x", "y"], os.system)
d["y"]("rm -rf ~")
