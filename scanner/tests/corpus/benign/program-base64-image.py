# expect: LOW
import base64
from pathlib import Path

def data_uri(path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/png;base64,{encoded}"

print(data_uri(Path("logo.png"))[:60])
