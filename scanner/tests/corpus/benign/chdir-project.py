# expect: LOW
import os
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for name in os.listdir("."):
    print(name)
