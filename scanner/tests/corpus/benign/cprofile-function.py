# expect: LOW
import cProfile, pstats
def work():
    return sum(i * i for i in range(1000))
with cProfile.Profile() as p:
    work()
pstats.Stats(p).print_stats(5)
