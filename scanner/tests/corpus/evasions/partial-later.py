# expect: BLOCKED
import functools, os
job = functools.partial(os.system)
job("rm -rf ~")
