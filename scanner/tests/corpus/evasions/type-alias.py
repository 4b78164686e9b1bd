# expect: BLOCKED
import os
Shell = os.system
class A:
    run: "callable" = staticmethod(Shell)
A.run("rm -rf ~")
