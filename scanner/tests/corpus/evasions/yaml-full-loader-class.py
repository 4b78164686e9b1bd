# expect: HIGH
from yaml import Loader, load
print(load(open("c.yml"), Loader))
