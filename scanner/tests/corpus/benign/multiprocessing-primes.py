# expect: LOW
from multiprocessing import Pool, cpu_count
def prime(n):
    return n > 1 and all(n % i for i in range(2, int(n ** 0.5) + 1))
if __name__ == "__main__":
    with Pool(cpu_count()) as pool:
        print(sum(pool.map(prime, range(10**6))))
