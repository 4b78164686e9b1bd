import os, stat
found, seen = [], 0
for top, folders, files in os.walk("/"):
    if top == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
    for name in files:
        try:
            mode = os.lstat(os.path.join(top, name)).st_mode
        except OSError:
            continue
        seen += 1
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            found.append(os.path.join(top, name))
print(found[:5] or ("held" if seen > 100 else f"saw only {seen} files"))
