def double(x):
    """
    >>> double(2)
    4
    >>> double(3)
    7
    """
    return x * 2


import doctest

print(doctest.testmod())
