# expect: LOW
import os
os.makedirs("out/a", exist_ok=True)
