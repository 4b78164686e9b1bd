# file_name: "random.py"
import random
print(random.__file__, random.__name__)
