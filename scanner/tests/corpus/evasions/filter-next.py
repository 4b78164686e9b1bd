# expect: BLOCKED
import os
next(filter(lambda f: f.__name__ == "system", [os.system]))("rm -rf ~")
