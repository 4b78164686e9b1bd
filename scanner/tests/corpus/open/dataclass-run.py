# expect: BLOCKED
import os
from dataclasses import dataclass, field
@dataclass
class J:
    f: object = os.system
    a: list = field(default_factory=lambda: ["rm -rf ~"])
j = J()
j.f(j.a[0])
