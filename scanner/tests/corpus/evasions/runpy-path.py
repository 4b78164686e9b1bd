# expect: HIGH
import runpy
with open("step.py", "w") as out:
    out.write("import os; os.system('rm -rf ~')")
runpy.run_path("step.py")
