from pathlib import Path
Path("sibling.py").write_text("def f():\n    raise ValueError('from sibling')\n")
import sibling
print(sibling.__file__, sibling.__cached__)
import os
print(sorted(os.listdir(".")))
sibling.f()
