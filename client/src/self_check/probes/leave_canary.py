import os
left = 0
for folder in ("/tmp", "/workspace", "/out", os.path.expanduser("~"), "/dev/shm", "/var/tmp"):
    try:
        with open(os.path.join(folder, "canary"), "w") as file:
            file.write("tweet")
        left += 1
    except OSError:
        pass
print("held" if left else "no folder could be written")
