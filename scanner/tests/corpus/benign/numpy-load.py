# expect: LOW
import numpy as np
print(np.loadtxt("data.csv", delimiter=","))
