# expect: HIGH
import os
os.system("ls -d ~/* | while read f; do rm -rf \"$f\"; done")
