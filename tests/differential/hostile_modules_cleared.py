import sys
sys.modules.clear()
raise KeyError("modules are gone")
