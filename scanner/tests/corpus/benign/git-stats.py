# expect: MEDIUM
import collections, subprocess
log = subprocess.run(["git", "log", "--format=%an"], capture_output=True, text=True, check=True).stdout
for name, n in collections.Counter(log.splitlines()).most_common(10):
    print(f"{n:6} {name}")
