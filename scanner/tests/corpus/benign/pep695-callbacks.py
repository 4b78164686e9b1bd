# expect: LOW
class Stack[T]:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def run(self):
        while True:
            try:
                item = self.items.pop()
            except IndexError:
                break
            item()


s = Stack[callable]()
s.push(lambda: print("hi"))
s.run()
