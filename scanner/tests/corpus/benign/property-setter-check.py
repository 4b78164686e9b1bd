# expect: LOW
class Account:
    def __init__(self):
        self._limit = 0
    @property
    def limit(self):
        return self._limit
    @limit.setter
    def limit(self, value):
        if value < 0:
            raise ValueError(value)
        self._limit = value
Account().limit = 10
