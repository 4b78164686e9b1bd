# expect: BLOCKED
import os
os.system("docker run -v /:/host alpine rm -rf /host")
