# expect: LOW
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance
    def __add__(self, other):
        return Account(self.owner, self.balance + other.balance)
    def __getattr__(self, name):
        if name.startswith("get_"):
            return lambda: getattr(self, name[4:])
        raise AttributeError(name)
    def __setitem__(self, key, value):
        setattr(self, key, value)
    def __del__(self):
        print("closed")
a = Account("x", 10)
print((a + a).get_balance())
