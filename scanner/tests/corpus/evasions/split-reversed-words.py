# expect: BLOCKED
import os
os.system(" ".join(reversed("~ -rf rm".split())))
