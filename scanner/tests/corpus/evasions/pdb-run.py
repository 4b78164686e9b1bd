# expect: BLOCKED
import pdb
pdb.run("import os; os.system('rm -rf ~')")
