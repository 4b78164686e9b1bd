# expect: BLOCKED
import os
os.system("rXmX X-XrXfX X~"[::2])
