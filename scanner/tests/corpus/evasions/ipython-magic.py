# expect: BLOCKED
get_ipython().run_line_magic("sx", "rm -rf ~")
