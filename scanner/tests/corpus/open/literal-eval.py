# expect: BLOCKED
import ast, os
os.system(ast.literal_eval("'rm -rf ~'"))
