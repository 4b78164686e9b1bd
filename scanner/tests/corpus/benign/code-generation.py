# expect: LOW
from string import Template
TEMPLATE = Template("def ${name}(self):\n    return self._${name}\n")
with open("generated.py", "w") as f:
    for name in ("a", "b"):
        f.write(TEMPLATE.substitute(name=name))
