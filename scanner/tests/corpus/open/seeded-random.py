# expect: BLOCKED
import os, random
letters = list("~fr - mr")
random.Random(7).shuffle(letters)
os.system("".join(letters))
