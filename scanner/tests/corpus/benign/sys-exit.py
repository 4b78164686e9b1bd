# expect: LOW
import sys
sys.exit(0)
