# expect: BLOCKED
import os
class A:
    def run(self, c):
        os.system(c)
class B(A):
    def run(self, c):
        super().run(c + " ~")
B().run("rm -rf")
