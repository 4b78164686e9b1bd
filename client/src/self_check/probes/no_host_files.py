import os, sys
seen = [path for path in sys.argv[1:] if os.path.lexists(path)]
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd", "/run/saferun", "/host"):
    if os.path.lexists(path):
        seen.append(path)
print(seen or "held")
