# expect: LOW
import ast
import operator

OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}

def evaluate(text):
    def walk(node):
        match node:
            case ast.Expression(body=body):
                return walk(body)
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.BinOp(left=left, op=op, right=right):
                return OPS[type(op)](walk(left), walk(right))
        raise ValueError(ast.dump(node))
    return walk(ast.parse(text, mode="eval"))

print(evaluate("1 + 2 * 3"))
