# expect: BLOCKED
import os
getattr(os, "sXstem".replace("X", "y"))("rm -rf ~")
