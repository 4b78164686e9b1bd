import os
print(os.getpgrp() == os.getpid() or os.getpgrp() == os.getpgid(os.getppid()))
child = os.fork()
if child == 0:
    os.setsid()
    print("new session", os.getsid(0) == os.getpid())
    os._exit(0) if False else None
else:
    os.waitpid(child, 0)
