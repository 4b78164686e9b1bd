# expect: LOW
import os
print(os.path.exists("/etc/passwd"), os.path.basename("/a/b"))
