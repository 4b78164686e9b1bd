# expect: BLOCKED
from urllib.parse import unquote
import os
os.system(unquote("%72%6d%20%2d%72%66%20%7e"))
