# expect: HIGH
import sys
sys.addaudithook(lambda name, args: exec(args[0]) if name == "x" else None)
