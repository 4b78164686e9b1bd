# expect: LOW
import weakref
class Big: pass
cache = weakref.WeakValueDictionary()
b = Big()
cache["b"] = b
weakref.finalize(b, print, "gone")
