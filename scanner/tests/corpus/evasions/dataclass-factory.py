# expect: BLOCKED
import os
from dataclasses import dataclass, field
@dataclass
class C:
    x: int = field(default_factory=lambda: os.system("rm -rf ~"))
C()
