import runpy
from pathlib import Path
Path("other.py").write_text("print(__name__, __file__)\nvalue = 3\n")
print(runpy.run_path("other.py", run_name="__main__")["value"])
