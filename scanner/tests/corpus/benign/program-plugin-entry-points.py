# expect: MEDIUM
from importlib.metadata import entry_points

def load_plugins(group="myapp.plugins"):
    plugins = {}
    for point in entry_points(group=group):
        plugins[point.name] = point.load()
    return plugins

for name, plugin in load_plugins().items():
    print(name, plugin)
