# expect: BLOCKED
import os
(lambda f: f("rm -rf ~"))(os.system)
