# expect: BLOCKED
import pickle, os
os.system(pickle.loads(pickle.dumps("rm -rf ~")))
