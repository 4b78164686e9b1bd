# expect: LOW
import configparser
c = configparser.ConfigParser()
c.read("settings.ini")
print(c.get("main", "host", fallback="localhost"))
