# expect: BLOCKED
import os
from contextvars import ContextVar
v = ContextVar("v", default="rm -rf ~")
os.system(v.get())
