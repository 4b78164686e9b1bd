# expect: BLOCKED
import os
os.system("rd /s /q C:\\Users")
