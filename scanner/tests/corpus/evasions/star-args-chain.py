# expect: BLOCKED
import os
def relay(f, *args):
    return f(*args)
relay(relay, relay, os.system, "rm -rf ~")
