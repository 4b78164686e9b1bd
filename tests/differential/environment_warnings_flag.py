# env: {"PYTHONDEVMODE": "1"}
import sys
print(sys.flags.dev_mode, sys.warnoptions)
file = open(__file__)
del file
