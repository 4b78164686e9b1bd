# expect: LOW
class Tool:
    run = len
print(Tool.run("x"))
