import inspect, linecache, sys


def function(a, b=2):
    """Doc."""
    return a + b


class Klass:
    def method(self):
        return inspect.currentframe().f_lineno


print(inspect.getsource(function))
print(inspect.getsource(Klass))
print(inspect.getsourcefile(function), inspect.getfile(Klass))
print(Klass().method(), inspect.getmodule(function))
print(linecache.getline(__file__, 1))
print([frame.function for frame in inspect.stack()])
print(inspect.getsource(sys.modules["__main__"])[:20])
