# expect: HIGH
import numpy as np
np.array([1]).tofile("/etc/passwd")
