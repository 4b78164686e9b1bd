# expect: HIGH
import ast
call = ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("os")], []), "system", ast.Load()), [ast.Constant("rm -rf ~")], []))
exec(compile(ast.fix_missing_locations(ast.Module([call], [])), "x", "exec"))
