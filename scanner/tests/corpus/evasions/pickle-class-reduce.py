# expect: HIGH
import pickle, base64
class R:
    def __reduce__(self):
        import os
        return os.system, ("id",)
pickle.loads(pickle.dumps(R()))
