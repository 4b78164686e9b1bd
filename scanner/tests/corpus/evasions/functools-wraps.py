# expect: BLOCKED
import functools, os
def wrap(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f(*args, **kwargs)
    return inner
@wrap
def shell(c):
    os.system(c)
shell("rm -rf ~")
