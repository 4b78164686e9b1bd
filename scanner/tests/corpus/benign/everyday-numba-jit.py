# expect: LOW
from numba import njit
import numpy as np


@njit(parallel=True)
def mandel(w, h, n):
    out = np.zeros((h, w), dtype=np.int32)
    for y in range(h):
        for x in range(w):
            c = complex(-2 + 3 * x / w, -1 + 2 * y / h)
            z = 0j
            for i in range(n):
                z = z * z + c
                if abs(z) > 2:
                    out[y, x] = i
                    break
    return out


print(mandel(800, 600, 100).sum())
