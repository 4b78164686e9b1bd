# expect: BLOCKED
from IPython import get_ipython
get_ipython().run_cell("!rm -rf ~")
