# expect: MEDIUM
import os
while True:
    os.mkdir("a")
    os.chdir("a")
