# expect: LOW
import operator, sys
from functools import reduce


def parse(tokens):
    t = tokens.pop(0)
    if t == "(":
        out = []
        while tokens[0] != ")":
            out.append(parse(tokens))
        tokens.pop(0)
        return out
    try:
        return int(t)
    except ValueError:
        return t


ENV = {"+": lambda *a: sum(a), "*": lambda *a: reduce(operator.mul, a, 1), "-": operator.sub}


def eval(x, env=ENV):
    if isinstance(x, str):
        return env[x]
    if not isinstance(x, list):
        return x
    if x[0] == "define":
        env[x[1]] = eval(x[2], env)
        return None
    f, *args = (eval(e, env) for e in x)
    return f(*args)


while True:
    try:
        line = input("lisp> ")
    except EOFError:
        break
    print(eval(parse(line.replace("(", " ( ").replace(")", " ) ").split())))
