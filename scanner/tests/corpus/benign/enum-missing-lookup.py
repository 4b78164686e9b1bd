# expect: LOW
from enum import Enum
class Color(Enum):
    RED = "red"
    @classmethod
    def _missing_(cls, value):
        return next((m for m in cls if m.value == str(value).lower()), None)
print(Color("RED"))
