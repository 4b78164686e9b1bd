# expect: LOW
class A:
    @property
    def system(self):
        return 1
print(A().system)
