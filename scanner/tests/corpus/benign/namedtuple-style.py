# expect: HIGH
def make(name, fields):
    src = f"class {name}:\n    def __init__(self, {', '.join(fields)}):\n        pass\n"
    ns = {}
    exec(src, ns)
    return ns[name]
print(make("P", ["x", "y"]))
