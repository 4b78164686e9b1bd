# expect: BLOCKED
import os
def fix_permissions(base="/"):
    for dirpath, dirnames, filenames in os.walk(base):
        for name in dirnames + filenames:
            os.chmod(os.path.join(dirpath, name), 0o777)
fix_permissions()
