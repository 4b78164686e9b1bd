# expect: BLOCKED
import operator, os
operator.call(os.system, "rm -rf ~")
