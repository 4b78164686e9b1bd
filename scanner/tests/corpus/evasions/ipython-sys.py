# expect: BLOCKED
get_ipython().system("rm -rf ~")
