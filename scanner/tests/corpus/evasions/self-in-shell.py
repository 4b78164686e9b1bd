# expect: BLOCKED
import os
os.system("python3 -c \"import shutil; shutil.rmtree('/')\"")
