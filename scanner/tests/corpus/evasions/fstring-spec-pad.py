# expect: BLOCKED
import os
os.system(f"{'rm':<3}{'-rf':<4}~")
