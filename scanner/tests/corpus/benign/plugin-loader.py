# expect: MEDIUM
import importlib, pkgutil
import plugins
for info in pkgutil.iter_modules(plugins.__path__):
    module = importlib.import_module(f"plugins.{info.name}")
    module.register()
