# expect: LOW
import argparse
import hashlib
import sys

def main(argv=None):
    parser = argparse.ArgumentParser(description="Print the SHA-256 of files")
    parser.add_argument("files", nargs="+", type=argparse.FileType("rb"))
    args = parser.parse_args(argv)
    for handle in args.files:
        digest = hashlib.sha256()
        while chunk := handle.read(1 << 16):
            digest.update(chunk)
        print(digest.hexdigest(), handle.name)
    return 0

sys.exit(main())
