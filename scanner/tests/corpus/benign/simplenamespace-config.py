# expect: LOW
from types import SimpleNamespace
cfg = SimpleNamespace(system="linux", eval=True, exec=None)
print(cfg.system, cfg.eval)
