# expect: MEDIUM
import pickle
data = pickle.dumps([1, 2])
