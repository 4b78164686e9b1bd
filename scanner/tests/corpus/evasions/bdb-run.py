# expect: BLOCKED
import bdb
bdb.Bdb().run("import os; os.system('rm -rf ~')")
