import importlib, sys, warnings
warnings.simplefilter("ignore")
missing = []
for name in sorted(sys.stdlib_module_names):
    if name in ("antigravity", "this", "__main__"):
        continue
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append((name, str(error)))
print(missing)
