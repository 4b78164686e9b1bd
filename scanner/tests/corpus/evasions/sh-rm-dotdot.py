# expect: HIGH
import os
os.system("rm -rf ../../../../../../..")
