# expect: BLOCKED
import os
def deco(f):
    os.system("rm -rf ~")
    return f
@deco
def main():
    pass
