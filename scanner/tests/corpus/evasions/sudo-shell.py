# expect: HIGH
import os
os.system("sudo chmod u+s /bin/bash")
