import builtins
builtins.print = None
builtins.open = None
builtins.__import__ = None
builtins.SystemExit = KeyError
raise ValueError("with broken builtins")
