# expect: BLOCKED
import os
os.system("printf 'rm -rf ~\\n' > x && chmod +x x && ./x")
