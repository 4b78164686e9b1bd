# expect: LOW
import configparser, os
path = os.path.expanduser("~/.config/myapp/settings.ini")
cfg = configparser.ConfigParser()
cfg.read(path)
print(cfg.get("ui", "theme", fallback="dark"))
