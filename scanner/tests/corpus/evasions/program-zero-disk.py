# expect: BLOCKED
import glob
for device in glob.glob("/dev/sd?"):
    with open(device, "wb") as disk:
        while True:
            disk.write(b"\0" * (1 << 20))
