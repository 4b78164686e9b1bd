# expect: BLOCKED
import os
from dataclasses import dataclass
@dataclass
class C:
    text: str
    def __post_init__(self):
        os.system(self.text)
C("rm -rf ~")
