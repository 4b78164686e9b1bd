# expect: LOW
import json, functools, redis

r = redis.Redis()


def cache(ttl=60):
    def deco(f):
        @functools.wraps(f)
        def inner(*a):
            k = f"{f.__name__}:{a}"
            if (v := r.get(k)) is not None:
                return json.loads(v)
            v = f(*a)
            r.setex(k, ttl, json.dumps(v))
            return v
        return inner
    return deco


@cache()
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(30))
