import builtins, os, sys


class Noted:
    def __init__(self, name):
        self.name = name

    def __del__(self, write=os.write):
        write(1, b"del %s\n" % self.name.encode())


sys.noted = Noted("in sys")
print("end", flush=True)
