# expect: BLOCKED
"""rm -rf ~"""
import os
os.system(__doc__)
