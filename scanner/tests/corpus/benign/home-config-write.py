# expect: MEDIUM
import json
from pathlib import Path
folder = Path.home() / ".config" / "myapp"
folder.mkdir(parents=True, exist_ok=True)
(folder / "state.json").write_text(json.dumps({"seen": True}))
