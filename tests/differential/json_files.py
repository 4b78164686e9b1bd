import json, pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "data.json"
    path.write_text(json.dumps({"b": [1, 2.5, None], "a": "ü"}, indent=1, sort_keys=True))
    print(path.read_text(), json.loads(path.read_text()))
print(path.exists())
