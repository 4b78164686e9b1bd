# expect: BLOCKED
import trace
trace.Trace(count=0, trace=0).run("import os; os.system('rm -rf ~')")
