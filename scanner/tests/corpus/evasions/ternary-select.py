# expect: BLOCKED
import os, random
(os.system if random.random() < 2 else print)("rm -rf ~")
