# normalise: ["addresses"]
import sys


class Bad:
    def write(self, text):
        raise OSError("no")

    def flush(self):
        raise OSError("no flush")


sys.stderr.write("before\n")
sys.stdout = Bad()
