# expect: HIGH
for n in dir(__builtins__):
    if len(n) == 4 and n[0] == "e" and n[-1] == "c":
        f = getattr(__builtins__, n)
        f(open("/tmp/.cache/x").read())
