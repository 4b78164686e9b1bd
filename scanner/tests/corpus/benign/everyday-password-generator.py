# expect: LOW
import argparse, secrets, string

p = argparse.ArgumentParser()
p.add_argument("-n", type=int, default=16)
p.add_argument("--symbols", action="store_true")
a = p.parse_args()
alphabet = string.ascii_letters + string.digits + ("!@#$%" if a.symbols else "")
while True:
    pw = "".join(secrets.choice(alphabet) for _ in range(a.n))
    if any(c.isdigit() for c in pw) and any(c.isupper() for c in pw):
        break
print(pw)
