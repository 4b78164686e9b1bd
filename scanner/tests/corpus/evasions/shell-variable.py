# expect: BLOCKED
import os
os.system("X=rm; $X -rf ~")
