# expect: LOW
import ast
tree = ast.parse("import os\nos.system('ls')")
print([n.id for n in ast.walk(tree) if isinstance(n, ast.Name)])
