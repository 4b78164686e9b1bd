# expect: LOW
class Money:
    def __init__(self, v): self.v = v
    def __format__(self, spec):
        return f"{self.v:,.2f}" if spec == "m" else str(self.v)
print(f"{Money(1234.5):m}")
