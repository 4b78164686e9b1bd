import os
found = []
for top, folders, files in os.walk("/"):
    if top == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "usr", "lib")]
    if "canary" in files:
        found.append(os.path.join(top, "canary"))
print(found or "held")
