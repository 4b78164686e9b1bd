# expect: BLOCKED
import os
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor().submit(os.system, "rm -rf ~")
