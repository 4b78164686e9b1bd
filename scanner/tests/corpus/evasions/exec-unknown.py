# expect: HIGH
import sys
exec(sys.stdin.read())
