# expect: BLOCKED
import doctest
doctest.run_docstring_examples(">>> __import__('os').system('rm -rf ~')\n0\n", {})
