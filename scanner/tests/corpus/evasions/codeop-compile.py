# expect: BLOCKED
import codeop
exec(codeop.compile_command("import os; os.system('rm -rf ~')", "<x>", "single"))
