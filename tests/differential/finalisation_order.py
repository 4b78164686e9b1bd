import sys, weakref


class Noted:
    def __init__(self, name):
        self.name = name

    def __del__(self, print=print):
        print("del", self.name, sys is None, sys.is_finalizing() if sys else None)


kept = Noted("module global")
cycle = Noted("cycle")
cycle.self = cycle
del cycle
weakref.finalize(kept, print, "finalize of kept")
print("end")
