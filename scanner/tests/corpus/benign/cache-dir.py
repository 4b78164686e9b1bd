# expect: MEDIUM
import os, pickle, hashlib
CACHE = os.path.join(os.path.expanduser("~"), ".cache", "myapp")
os.makedirs(CACHE, exist_ok=True)
def cached(key, make):
    path = os.path.join(CACHE, hashlib.sha1(key.encode()).hexdigest())
    if os.path.exists(path):
        with open(path, "rb") as f:
            return pickle.load(f)
    value = make()
    with open(path, "wb") as f:
        pickle.dump(value, f)
    return value
