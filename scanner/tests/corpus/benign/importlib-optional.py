# expect: LOW
import importlib.util
if importlib.util.find_spec("numpy"):
    import numpy as np
    print(np.__version__)
