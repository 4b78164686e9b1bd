# expect: LOW
import os
print(os.cpu_count(), os.getpid())
