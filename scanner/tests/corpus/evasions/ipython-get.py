# expect: BLOCKED
from IPython import get_ipython
get_ipython().system("rm -rf ~")
