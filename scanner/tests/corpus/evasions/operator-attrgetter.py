# expect: BLOCKED
import os
from operator import attrgetter
attrgetter("system")(os)("rm -rf ~")
