# expect: HIGH
import sys, os
sys.settrace(None)
os.remove(__file__)
