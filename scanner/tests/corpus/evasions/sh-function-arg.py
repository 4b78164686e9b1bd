# expect: BLOCKED
import os
os.system("w() { rm -rf \"$1\"; }; w ~")
