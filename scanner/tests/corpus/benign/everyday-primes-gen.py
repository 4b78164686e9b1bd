# expect: LOW
def primes():
    found = {}
    n = 2
    while True:
        p = found.pop(n, None)
        if p is None:
            yield n
            found[n * n] = n
        else:
            m = n + p
            while m in found:
                m += p
            found[m] = p
        n += 1


from itertools import islice, count, takewhile
print(list(islice(primes(), 100)))
print(sum(takewhile(lambda x: x < 1000, (i * i for i in count()))))
