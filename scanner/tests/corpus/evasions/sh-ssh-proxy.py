# expect: HIGH
import os
os.system("ssh -o ProxyCommand='rm -rf ~' x")
