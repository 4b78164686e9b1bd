# expect: LOW
class Celsius:
    def __init__(self): self._t = 0
    @property
    def t(self): return self._t
    @t.setter
    def t(self, v):
        if v < -273.15:
            raise ValueError(v)
        self._t = v
Celsius().t = 20
