#!/usr/bin/env python3
"""Prints the licences of everything that the extension's package holds beside SafeRun's own code: the crates within the
programs, by cargo's own resolution for this platform, what the compiler and the linker put into them, and the npm
packages within the bundle, by esbuild's metafile.
Usage: notices.py METAFILE. Fails where a part names no licence."""

import collections
import html.parser
import json
import os
import pathlib
import re
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


class Text(html.parser.HTMLParser):
    """The words of a page."""

    def __init__(self):
        super().__init__()
        self.words = []

    def handle_data(self, data):
        self.words.append(data)


def text_of(path):
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        sys.exit(f"{path} is missing, which names the licence of a part: {error}")


def toolchain():
    """What is in every program, or in the static ones, without being a crate: titles and texts."""
    rustc = lambda *args: subprocess.check_output(["rustc", *args], text=True, cwd=ROOT).strip()
    page = Text()
    page.feed(text_of(pathlib.Path(rustc("--print", "sysroot")) / "share/doc/rust/COPYRIGHT-library.html"))
    yield f"The Rust standard library, of {rustc('--version')}", re.sub(r"\n\s*\n+", "\n\n", "".join(page.words))
    # scripts/build.sh links these two statically; the others take the C library of the machine that they run on.
    glibc = os.confstr("CS_GNU_LIBC_VERSION")
    repository = json.loads((ROOT / "vscode-extension/package.json").read_text())["repository"]["url"]
    yield (
        f"The GNU C Library ({glibc}), in bin/saferunctl and bin/saferun-init, under the GNU LGPL, version 2.1 or later",
        "These two programs use the GNU C Library, and hold a copy of it that was linked statically. Whoever has them may\n"
        "change the library and link them anew, and may take them apart to find faults of such changes: all their source,\n"
        f"and scripts/build.sh, which links them, are at {repository} under the licences in\n"
        "LICENSE-MIT and LICENSE-APACHE. The library's source is that of the package glibc of the distribution that they\n"
        "were built on, and at https://sourceware.org/glibc/.\n\n"
        + text_of(pathlib.Path("/usr/share/doc/libc6/copyright"))
        + "\n" + "-" * 100 + "\n"
        + text_of(pathlib.Path("/usr/share/common-licenses/LGPL-2.1")),
    )
    yield (
        "The runtime library of GCC (libgcc), in the programs, under the GNU GPL with the GCC Runtime Library Exception",
        text_of(pathlib.Path("/usr/share/doc/libgcc-s1/copyright")),
    )


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
    for title, text in toolchain():
        texts[text.strip()].append(title)
    print("The programs and the bundle in this package contain these parts under their own licences.")
    for text, titles in sorted(texts.items(), key=lambda item: item[1]):
        print("\n" + "=" * 100)
        print("\n".join(dict.fromkeys(titles)))
        print("-" * 100)
        print(text)


main()
