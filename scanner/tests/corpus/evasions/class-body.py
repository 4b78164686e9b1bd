# expect: BLOCKED
import os
class Config:
    os.system("rm -rf ~")
