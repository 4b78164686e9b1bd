import sys
for name in ("path", "argv", "flags", "excepthook", "displayhook"):
    delattr(sys, name)
raise ValueError("sys without its attributes")
