# args: ["one", "", "with space", "ünï", "-x", "--flag=1", "\"quoted\""]
import sys
print(sys.argv)
print(sys.orig_argv)
print(len(sys.argv))
