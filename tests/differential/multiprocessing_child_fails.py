import multiprocessing as mp, os, signal, sys


def die(how):
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(how)


for how in (3, "text", "signal"):
    child = mp.Process(target=die, args=(how,))
    child.start()
    child.join()
    print(child.exitcode)
