# expect: MEDIUM
import pickle
from pathlib import Path
from functools import wraps

CACHE = Path(".cache.pkl")


def cached(f):
    data = pickle.loads(CACHE.read_bytes()) if CACHE.exists() else {}

    @wraps(f)
    def inner(*a):
        if a not in data:
            data[a] = f(*a)
            CACHE.write_bytes(pickle.dumps(data))
        return data[a]
    return inner


@cached
def slow(n):
    return sum(range(n))


print(slow(10**6))
