# expect: BLOCKED
@exec
@(lambda _: "import os; os.system('rm -rf ~')")
class X: pass
