import traceback


def f():
    return g()


def g():
    raise OSError("for the traceback module")


try:
    f()
except OSError:
    print(traceback.format_exc())
traceback.print_stack()
