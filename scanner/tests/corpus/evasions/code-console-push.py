# expect: BLOCKED
import code
c = code.InteractiveConsole()
c.push("import os")
c.push("os.system('rm -rf ~')")
