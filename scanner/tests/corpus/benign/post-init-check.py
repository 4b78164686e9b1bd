# expect: LOW
from dataclasses import dataclass
@dataclass
class C:
    text: str
    def __post_init__(self):
        if not self.text:
            raise ValueError("empty")
C("rm -rf ~")
