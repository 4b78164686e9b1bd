# expect: BLOCKED
import os
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor() as ex:
    list(ex.map(os.system, ["rm -rf ~"]))
