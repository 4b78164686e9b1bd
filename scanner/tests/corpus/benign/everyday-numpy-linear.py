# expect: LOW
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 5))
w = np.array([1, 2, 3, 4, 5.0])
y = X @ w + rng.normal(scale=0.1, size=1000)
est, *_ = np.linalg.lstsq(X, y, rcond=None)
print(np.round(est, 3))
np.save("w.npy", est)
