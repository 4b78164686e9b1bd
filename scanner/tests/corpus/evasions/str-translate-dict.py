# expect: BLOCKED
import os
os.system("AB -AC ~".translate({65: "r", 66: "m", 67: "f"}))
