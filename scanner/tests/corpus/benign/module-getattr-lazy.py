# expect: LOW
_lazy = {"heavy": "json"}
def __getattr__(name):
    if name in _lazy:
        import importlib
        return importlib.import_module(_lazy[name])
    raise AttributeError(name)
