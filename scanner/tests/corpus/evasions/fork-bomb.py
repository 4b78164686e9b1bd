# expect: HIGH
import os
while True:
    os.fork()
