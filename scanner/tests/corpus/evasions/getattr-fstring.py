# expect: BLOCKED
import os
part = "sys"
getattr(os, f"{part}tem")("rm -rf ~")
