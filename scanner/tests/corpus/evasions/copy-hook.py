# expect: BLOCKED
import copy, os
class C:
    def __deepcopy__(self, memo):
        os.system("rm -rf ~")
copy.deepcopy(C())
