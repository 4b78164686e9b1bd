# expect: BLOCKED
import functools, os
r = functools.lru_cache(None)(os.system)
r("rm -rf ~")
