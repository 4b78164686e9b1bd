# file_name: "-c.py"
import sys
print(__file__, sys.argv, sys.orig_argv, sys.path[0])
raise ValueError(__file__)
