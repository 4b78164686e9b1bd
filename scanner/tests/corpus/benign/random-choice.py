# expect: LOW
import random
print(random.choice([1, 2]))
