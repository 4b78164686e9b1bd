"""The settings that docs/editors.md gives: `settings.py LANGUAGE` prints those in a language, so that what people copy is
what is tested; `settings.py --check` reads those of editors that cannot be driven here, and looks at what they name."""

import json
import pathlib
import re
import sys
import tomllib

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "editors.md"
READERS = {"toml": tomllib.loads, "json": json.loads}
KINDS = ("python", "markdown", "yaml")


def blocks(language):
    """The fenced blocks in a language, each with the heading that it stands under."""
    heading = ""
    for part in re.finditer(rf"^## ([^\n]*)$|^```{language}\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        heading = part[1] or heading
        if part[2] is not None:
            yield heading, part[2]


def check():
    named = {}
    for language, read in READERS.items():
        for heading, block in blocks(language):
            read(block)
            named[heading] = named.get(heading, "") + block.lower()
    assert set(named) == {"Helix", "Zed", "Sublime Text, LSP package"}, named.keys()
    for heading, block in named.items():
        for word in ("saferun-lsp", *KINDS):
            assert word in block, f"{heading} does not name {word}"


if sys.argv[1] == "--check":
    check()
else:
    print("".join(block for _, block in blocks(sys.argv[1])), end="")
