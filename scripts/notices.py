#!/usr/bin/env python3
"""Prints the licences of everything that the extension's package holds beside SafeRun's own code: the crates within the
programs, by cargo's own resolution for this platform, and the npm packages within the bundle, by esbuild's metafile.
Usage: notices.py METAFILE. Fails where a part names no licence."""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"saferund", "saferun-lsp", "saferunctl", "saferun-init"}
NAMES = ("license", "licence", "copying", "notice", "unlicense", "copyright")


def crates():
    host = next(
        line.split()[1]
        for line in subprocess.check_output(["rustc", "-vV"], text=True).splitlines()
        if line.startswith("host:")
    )
    metadata = json.loads(
        subprocess.check_output(
            ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={host}"], cwd=ROOT
        )
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [one for one, package in packages.items() if package["name"] in PROGRAMS]
    seen = set(waiting)
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if linked and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    for one in seen:
        package = packages[one]
        if package["source"] is None:
            # SafeRun's own.
            continue
        yield package["name"], package["version"], package["license"], pathlib.Path(package["manifest_path"]).parent


def modules(metafile):
    folders = set()
    for name in json.loads(metafile.read_text())["inputs"]:
        path = pathlib.PurePath(name)
        if "node_modules" not in path.parts:
            continue
        at = len(path.parts) - 1 - path.parts[::-1].index("node_modules")
        length = 2 if path.parts[at + 1].startswith("@") else 1
        folders.add(pathlib.Path(*path.parts[: at + 1 + length]))
    for folder in folders:
        package = json.loads((ROOT / "vscode-extension" / folder / "package.json").read_text())
        yield package["name"], package["version"], package.get("license"), ROOT / "vscode-extension" / folder


def main():
    texts = collections.defaultdict(list)
    parts = sorted([*crates(), *modules(pathlib.Path(sys.argv[1]))])
    for name, version, licence, folder in parts:
        if not licence:
            sys.exit(f"{name} {version} names no licence")
        title = f"{name} {version} ({licence})"
        files = sorted(one for one in folder.iterdir() if one.is_file() and one.name.lower().startswith(NAMES))
        for file in files:
            texts[file.read_text(errors="replace").strip()].append(title)
        if not files:
            texts["Its package holds no text of this licence."].append(title)
    print("The programs and the bundle in this package contain these parts under their own licences.")
    for text, titles in sorted(texts.items(), key=lambda item: item[1]):
        print("\n" + "=" * 100)
        print("\n".join(dict.fromkeys(titles)))
        print("-" * 100)
        print(text)


main()
