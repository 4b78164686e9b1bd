import multiprocessing as mp
if __name__ == "__mp_main__":
    print("imported by a child", __file__)
elif __name__ == "__main__":
    context = mp.get_context("spawn")
    child = context.Process(target=print, args=("from the child",))
    child.start()
    child.join()
    print(child.exitcode)
