# expect: LOW
import os, platform, psutil, socket
print(platform.platform(), platform.python_version())
print(socket.gethostname(), os.cpu_count())
print(psutil.virtual_memory().percent, psutil.disk_usage("/").percent)
