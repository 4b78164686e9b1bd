# expect: LOW
import sympy as sp
x = sp.symbols("x")
expr = sp.sympify("x**2 + 1")
print(sp.diff(expr, x), expr.subs(x, 2).evalf())
