import os
read = []
for name in ("mem", "environ", "maps"):
    try:
        with open(f"/proc/1/{name}", "rb") as file:
            if file.read(1):
                read.append(name)
    except OSError:
        pass
try:
    read += os.listdir("/proc/1/fd")
except OSError:
    pass
print(read or "held")
