import os
os.chdir("/")
raise ValueError("elsewhere")
