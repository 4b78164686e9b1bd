# expect: LOW
from importlib import resources, metadata
print(metadata.version("pip"), resources.files("json").joinpath("__init__.py").is_file())
