# expect: MEDIUM
import subprocess, sys


def git(*args):
    return subprocess.run(["git", *args], check=True, capture_output=True, text=True).stdout.strip()


branch = git("rev-parse", "--abbrev-ref", "HEAD")
merged = [b.strip() for b in git("branch", "--merged").splitlines() if not b.startswith("*")]
for b in merged:
    if b not in ("main", "master"):
        print("deleting", b)
        git("branch", "-d", b)
print("on", branch, git("log", "--oneline", "-5"), sep="\n")
