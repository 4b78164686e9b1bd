# file_name: "script"
import sys
print(__file__, sys.argv, __name__)
