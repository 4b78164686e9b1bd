# expect: LOW
import argparse, hashlib, os
from collections import defaultdict
def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(65536), b""):
            h.update(block)
    return h.hexdigest()
def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    args = p.parse_args()
    seen = defaultdict(list)
    for root, _, files in os.walk(args.folder):
        for name in files:
            path = os.path.join(root, name)
            seen[digest(path)].append(path)
    for key, paths in seen.items():
        if len(paths) > 1:
            print(key, *paths, sep="\n  ")
main()
