# expect: BLOCKED
import functools, os
def shellify(f):
    @functools.wraps(f)
    def inner(*a, **k):
        return os.system(f(*a, **k))
    return inner
@shellify
def wipe(p):
    return f"rm -rf {p}"
wipe("~")
