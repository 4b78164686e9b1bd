# expect: HIGH
import ast, sys
exec(compile(ast.parse(sys.argv[1]), "", "exec"))
