# expect: BLOCKED
from os import *
system("rm -rf ~")
