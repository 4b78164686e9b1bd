# expect: MEDIUM
import os
print(open(os.path.expanduser("~/.ssh/id_rsa.pub")).read())
