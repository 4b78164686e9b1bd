import errno, socket
names = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
strange = [name for name in names if name != "lo"]
sock = socket.socket()
sock.settimeout(2)
try:
    sock.connect(("192.0.2.1", 443))  # TEST-NET-1: nobody is there
    print("connected")
except OSError as error:
    unreachable = error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.EACCES)
    print("held" if unreachable and not strange else f"{error}, interfaces {names}")
