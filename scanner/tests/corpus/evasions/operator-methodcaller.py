# expect: BLOCKED
import os
from operator import methodcaller
methodcaller("system", "rm -rf ~")(os)
