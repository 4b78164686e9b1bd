# expect: MEDIUM
import os
hosts = []
with open(os.path.expanduser("~/.ssh/config")) as f:
    for line in f:
        if line.lower().startswith("host "):
            hosts.append(line.split()[1])
print(hosts)
