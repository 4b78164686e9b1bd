# expect: BLOCKED
import os
@lambda f: os.system("rm -rf ~")
def main():
    pass
