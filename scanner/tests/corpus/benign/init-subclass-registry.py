# expect: LOW
class Plugin:
    kinds = {}
    def __init_subclass__(cls, /, name=None, **kw):
        super().__init_subclass__(**kw)
        Plugin.kinds[name or cls.__name__] = cls
class Csv(Plugin, name="csv"): pass
print(Plugin.kinds["csv"]())
