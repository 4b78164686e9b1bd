# expect: HIGH
import os
os.system("cipher /w:C:\\")
