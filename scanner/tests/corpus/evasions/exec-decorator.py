# expect: HIGH
import sys
code = sys.stdin.read()
@exec
@compile
def nothing(): pass
@(lambda f: exec(code))
def f(): pass
