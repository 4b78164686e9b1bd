# expect: MEDIUM
import numpy as np
np.load("model.npy", allow_pickle=True)
