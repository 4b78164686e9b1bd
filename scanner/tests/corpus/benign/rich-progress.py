# expect: LOW
import time
from rich.progress import track
for step in track(range(100), description="Working"):
    time.sleep(0.01)
