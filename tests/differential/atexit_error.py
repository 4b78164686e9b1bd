# normalise: ["addresses"]
import atexit, sys


@atexit.register
def bad():
    raise ValueError("in atexit")


atexit.register(print, "still runs")
sys.exit(3)
