import tempfile
file = open("left_open.txt", "w")
file.write("flushed at the end")
named = tempfile.NamedTemporaryFile()
folder = tempfile.TemporaryDirectory()


class Holder:
    def __init__(self):
        self.me = self
        self.file = open("in_cycle.txt", "w")
        self.file.write("also flushed")

    def __del__(self):
        print("holder goes, file closed:", self.file.closed)


holder = Holder()
print("end")
