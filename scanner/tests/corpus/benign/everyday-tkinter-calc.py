# expect: MEDIUM
import tkinter as tk
import ast
import operator as op

OPS = {ast.Add: op.add, ast.Sub: op.sub, ast.Mult: op.mul, ast.Div: op.truediv, ast.USub: op.neg}


def evaluate(node):
    match node:
        case ast.Constant(value=v) if isinstance(v, (int, float)):
            return v
        case ast.BinOp(left=l, op=o, right=r):
            return OPS[type(o)](evaluate(l), evaluate(r))
        case ast.UnaryOp(op=o, operand=v):
            return OPS[type(o)](evaluate(v))
    raise ValueError("not allowed")


root = tk.Tk()
entry = tk.Entry(root)
entry.pack()
label = tk.Label(root)
label.pack()


def show(event=None):
    try:
        label["text"] = evaluate(ast.parse(entry.get(), mode="eval").body)
    except Exception as e:
        label["text"] = str(e)


entry.bind("<Return>", show)
root.mainloop()
