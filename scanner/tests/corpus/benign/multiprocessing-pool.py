# expect: MEDIUM
from multiprocessing import Pool
def f(x):
    return x * x
if __name__ == "__main__":
    print(Pool(2).map(f, [1, 2]))
