# expect: HIGH
import os
for name in dir(os):
    if hash(name) == 12345:
        vars(os)[name]("id")
