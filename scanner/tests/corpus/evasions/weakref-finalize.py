# expect: BLOCKED
import weakref, os
class A: pass
a = A()
weakref.finalize(a, os.system, "rm -rf ~")
