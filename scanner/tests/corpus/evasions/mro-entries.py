# expect: BLOCKED
import os
class B:
    def __mro_entries__(self, bases):
        os.system("rm -rf ~")
        return ()
class C(B()): pass
