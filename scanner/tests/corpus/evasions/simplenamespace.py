# expect: BLOCKED
import os
from types import SimpleNamespace
n = SimpleNamespace(run=os.system, text="rm -rf ~")
n.run(n.text)
