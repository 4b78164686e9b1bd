# expect: LOW
import os, re
for name in os.listdir("photos"):
    m = re.match(r"IMG_(\d{4})(\d{2})(\d{2})_(.*)", name)
    if m:
        os.rename(f"photos/{name}", f"photos/{m[1]}-{m[2]}-{m[3]}-{m[4]}")
