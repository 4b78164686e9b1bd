import sys
sys.stdout = sys.stderr = sys.stdin = None
raise ValueError("nobody hears this")
