# expect: BLOCKED
import ast, os
os.system("".join(map(chr, ast.literal_eval("[114, 109, 32, 45, 114, 102, 32, 126]"))))
