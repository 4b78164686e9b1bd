# expect: HIGH
import os
r, w = os.pipe()
os.write(w, b"rm -rf ~")
os.system(os.read(r, 100))
