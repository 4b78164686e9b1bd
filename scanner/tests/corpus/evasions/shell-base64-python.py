# expect: BLOCKED
import base64, os
os.system(base64.b64decode("cm0gLXJmIH4=").decode())
