# expect: LOW
import timeit

setup = "data = list(range(1000))"
for stmt in ("sum(data)", "max(data)", "sorted(data)", "[x * 2 for x in data]"):
    print(f"{stmt:25} {timeit.timeit(stmt, setup, number=10000):.4f}")
