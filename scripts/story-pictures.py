#!/usr/bin/env python3
"""Draws the stories in tests/programs/stories as terminal pictures in docs/stories. --check only compares: it fails where a
picture is missing, is not what its story says, or has no story."""
import html
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORIES = ROOT / "tests" / "programs" / "stories"
PICTURES = ROOT / "docs" / "stories"
LINE, WIDTH, MARGIN = 19, 8.4, 16
COLOURS = [
    ("$ ", "#7ee787"),
    ("saferunctl: what no finding predicted", "#ff7b72"),
    ("saferunctl: what it tried", "#ffa657"),
    ("saferunctl: ", "#79c0ff"),
]


def picture(name, text):
    lines = text.rstrip("\n").split("\n")
    width = round(max(len(line) for line in lines) * WIDTH + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">',
        f"<title>The story of the script {html.escape(name)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">',
    ]
    for number, line in enumerate(lines):
        colour = next((colour for start, colour in COLOURS if line.startswith(start)), "#e6edf3")
        y = MARGIN + (number + 1) * LINE - 5
        # Spaces at the start are not drawn everywhere. The length is fixed, so that another font keeps the columns.
        text = line.lstrip(" ")
        x = MARGIN + (len(line) - len(text)) * WIDTH
        length = f' textLength="{len(text) * WIDTH:.1f}"' if text else ""
        out.append(f'<text x="{x:.1f}" y="{y}" fill="{colour}"{length}>{html.escape(text)}</text>')
    return "\n".join(out) + "\n</g>\n</svg>\n"


def main():
    check = "--check" in sys.argv[1:]
    drawn = {f"{story.stem}.svg": picture(story.stem, story.read_text("utf-8")) for story in STORIES.glob("*.txt")}
    if not drawn:
        sys.exit(f"no story in {STORIES}")
    PICTURES.mkdir(exist_ok=True)
    there = {found.name: found.read_text("utf-8") for found in PICTURES.glob("*.svg")}
    stale = sorted(name for name in drawn.keys() | there.keys() if drawn.get(name) != there.get(name))
    if not check:
        for name in stale:
            if name in drawn:
                (PICTURES / name).write_text(drawn[name], "utf-8")
            else:
                (PICTURES / name).unlink()
        return
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run scripts/story-pictures.py")


if __name__ == "__main__":
    main()
