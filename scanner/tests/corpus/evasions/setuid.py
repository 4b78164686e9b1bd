# expect: HIGH
import os
os.setuid(0)
