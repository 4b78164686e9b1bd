import os, sys
sys.stdout.write("lost in the buffer")
sys.stderr.write("not lost\n")
os._exit(5)
