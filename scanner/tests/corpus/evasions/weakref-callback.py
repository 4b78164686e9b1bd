# expect: BLOCKED
import weakref, os
class A: pass
a = A()
r = weakref.ref(a, lambda _: os.system("rm -rf ~"))
del a
