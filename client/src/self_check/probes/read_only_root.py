written = []
for path in ("/probe", "/usr/probe", "/etc/probe", "/etc/passwd", "/usr/bin/probe"):
    try:
        with open(path, "a"):
            written.append(path)
    except OSError:
        pass
root = [line.split()[3] for line in open("/proc/mounts") if line.split()[1] == "/"]
if root and "ro" not in root[-1].split(","):
    written.append("root is mounted " + root[-1])
print(written or "held")
