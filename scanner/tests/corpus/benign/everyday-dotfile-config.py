# expect: LOW
import configparser
from pathlib import Path

path = Path.home() / ".config" / "myapp" / "config.ini"
c = configparser.ConfigParser()
c["DEFAULT"] = {"theme": "dark", "size": "12"}
c.read(path)
print(dict(c["DEFAULT"]))
