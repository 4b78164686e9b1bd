# expect: MEDIUM
import os

os.system("ls -la | grep py | wc -l")
os.system("mkdir -p out && cp *.txt out/")
print(os.popen("date +%Y").read())
