# expect: LOW
import os, sys
total = 0
for root, dirs, files in os.walk(sys.argv[1] if len(sys.argv) > 1 else "."):
    dirs[:] = [d for d in dirs if d not in (".git", "node_modules")]
    for f in files:
        if f.endswith(".py"):
            with open(os.path.join(root, f), errors="replace") as fh:
                total += sum(1 for _ in fh)
print(total)
