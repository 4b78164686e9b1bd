# expect: BLOCKED
import os
from multiprocessing import Pool
Pool().map(os.system, ["rm -rf ~"])
