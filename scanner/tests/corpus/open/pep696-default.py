# expect: BLOCKED
import os
class K[T = os.system("rm -rf ~")]:
    pass
K.__type_params__[0].__default__
