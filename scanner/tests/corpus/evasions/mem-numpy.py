# expect: HIGH
import numpy as np
a = np.ones((10**6, 10**6))
