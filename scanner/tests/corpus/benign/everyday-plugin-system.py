# expect: MEDIUM
import importlib, pkgutil, sys
from pathlib import Path

import plugins

REGISTRY = {}


def register(name):
    def deco(cls):
        REGISTRY[name] = cls
        return cls
    return deco


for info in pkgutil.iter_modules(plugins.__path__):
    importlib.import_module(f"plugins.{info.name}")
for name, cls in REGISTRY.items():
    cls().run()
