# expect: BLOCKED
import ast
tree = ast.parse("import os\nos.system('rm -rf ~')")
exec(ast.unparse(tree))
