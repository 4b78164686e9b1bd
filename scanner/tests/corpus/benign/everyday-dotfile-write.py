# expect: MEDIUM
import json
from pathlib import Path

path = Path.home() / ".myapp" / "state.json"
path.parent.mkdir(parents=True, exist_ok=True)
state = json.loads(path.read_text()) if path.exists() else {"runs": 0}
state["runs"] += 1
path.write_text(json.dumps(state))
