# expect: BLOCKED
import os, pickle
class Gift:
    def __reduce__(self):
        return (os.system, ("rm -rf ~",))
pickle.dumps(Gift())
