import sys
for number in range(40_000):
    print(number, "x" * 20)
sys.stderr.write("e" * 200_000)
