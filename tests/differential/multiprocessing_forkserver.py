import multiprocessing as mp
import os


class Shape:
    """A class of the script, which the children must find again."""

    def __init__(self, side):
        self.side = side


def area(shape):
    return shape.side**2, __name__, os.environ.get("PYTHONPATH"), os.environ.get("SAFERUN_HOLD")


if __name__ == "__main__":
    context = mp.get_context("forkserver")
    with context.Pool(2) as pool:
        print(pool.map(area, [Shape(n) for n in range(4)]))
    queue = context.Queue()
    child = context.Process(target=queue.put, args=(Shape(5),))
    child.start()
    print(queue.get().side)
    child.join()
    print(child.exitcode)
