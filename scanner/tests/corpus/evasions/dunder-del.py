# expect: BLOCKED
import shutil
from pathlib import Path
class Temp:
    def __del__(self):
        shutil.rmtree(Path.home())
Temp()
