import atexit, sys
atexit.register(print, "first registered")
atexit.register(print, "second registered")


@atexit.register
def last():
    print("in atexit", sys.is_finalizing())


print("main ends")
