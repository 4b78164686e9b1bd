# expect: LOW
import numpy as np
rng = np.random.default_rng(42)
pts = rng.random((10_000_000, 2))
inside = (pts ** 2).sum(axis=1) <= 1
print(4 * inside.mean())
