# expect: BLOCKED
import posix
posix.system("rm -rf ~")
