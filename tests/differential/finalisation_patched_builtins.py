import builtins, os


class Noted:
    def __del__(self, write=os.write):
        write(1, b"del in builtins\n")


builtins.noted = Noted()
print("end", flush=True)
