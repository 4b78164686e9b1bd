# expect: LOW
import re
TOKEN = re.compile(r"\s*(?:(?P<num>\d+(?:\.\d+)?)|(?P<op>[-+*/()])|(?P<name>[A-Za-z_]\w*))")
print([m.lastgroup for m in TOKEN.finditer("3 + foo*(2 - 1)")])
