import os


class Noted:
    def __del__(self, write=os.write):
        write(1, b"del in os\n")


os.noted = Noted()
print("end", flush=True)
