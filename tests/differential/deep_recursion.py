import sys
sys.setrecursionlimit(30_000)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print(depth(20_000))


def frames(limit=None):
    count = 0
    frame = sys._getframe()
    while frame:
        count += 1
        frame = frame.f_back
    return count


print("frames at top level", frames())
