# expect: BLOCKED
import timeit
timeit.timeit("os.system('rm -rf ~')", setup="import os", number=1)
