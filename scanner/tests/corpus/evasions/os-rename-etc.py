# expect: HIGH
import os
os.rename("/etc/passwd", "/tmp/p")
