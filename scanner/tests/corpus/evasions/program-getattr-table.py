# expect: BLOCKED
import importlib

OPS = {"m": "os", "f": "system", "a": "rm -rf $HOME"}

def dispatch(ops):
    module = importlib.import_module(ops["m"])
    return getattr(module, ops["f"])(ops["a"])

dispatch(OPS)
