# expect: LOW
import multiprocessing as mp
def sq(x):
    return x * x
if __name__ == "__main__":
    with mp.Pool(4) as pool:
        print(pool.map(sq, range(10)))
