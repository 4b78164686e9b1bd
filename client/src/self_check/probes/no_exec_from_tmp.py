import os, subprocess
ran = []
for folder in ("/tmp", "/workspace", "/out", os.path.expanduser("~"), "/dev/shm"):
    path = os.path.join(folder, "probe")
    try:
        with open(path, "w") as file:
            file.write("#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o755)
        subprocess.run([path], check=False)
        ran.append(path)
    except OSError:
        pass
print(ran or "held")
