import os
try:
    os.setuid(0)
    print("became root")
except OSError:
    print("held" if os.getuid() >= 890000 and os.getgid() >= 890000 and os.geteuid() == os.getuid() else os.getresuid())
