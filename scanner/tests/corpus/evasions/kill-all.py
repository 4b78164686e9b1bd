# expect: HIGH
import os
os.kill(-1, 9)
