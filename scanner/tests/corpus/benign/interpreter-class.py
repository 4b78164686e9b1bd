# expect: LOW
class Interpreter:
    def __init__(self):
        self.env = {}
    def eval(self, node):
        return getattr(self, f"eval_{type(node).__name__}")(node)
    def exec(self, program):
        for line in program:
            self.eval(line)
    def eval_Num(self, node):
        return node.value
    def system(self, text):
        print(text)
i = Interpreter()
i.exec([])
i.system("rm -rf ~")
