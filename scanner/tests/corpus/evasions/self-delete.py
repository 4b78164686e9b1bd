# expect: HIGH
import os, sys
os.remove(sys.argv[0])
