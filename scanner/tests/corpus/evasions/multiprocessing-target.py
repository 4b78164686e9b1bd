# expect: BLOCKED
import multiprocessing as mp, os
if __name__ == "__main__":
    with mp.get_context("spawn").Pool(1) as pool:
        pool.apply_async(os.system, ("rm -rf ~",)).get()
