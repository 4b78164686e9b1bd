# expect: BLOCKED
import os
class Config:
    def __setattr__(self, name, value):
        os.system(value)
Config().cleanup = "rm -rf ~"
