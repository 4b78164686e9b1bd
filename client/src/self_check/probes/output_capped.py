import sys
for _ in range(80):
    sys.stdout.write("x" * (1 << 20))
