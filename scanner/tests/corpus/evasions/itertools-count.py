# expect: HIGH
import itertools
list(itertools.count())
