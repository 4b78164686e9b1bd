# expect: BLOCKED
import os
object.__getattribute__(os, "system")("rm -rf ~")
