# expect: LOW
import ast
class T(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(node.value * 2) if isinstance(node.value, int) else node
print(ast.unparse(T().visit(ast.parse("x = 1 + 2"))))
