# expect: BLOCKED
import os
getattr(os, "xxsystemxx"[2:-2])("rm -rf ~")
