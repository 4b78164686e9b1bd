# expect: HIGH
import pickle, sys
pickle.loads(sys.stdin.buffer.read())
