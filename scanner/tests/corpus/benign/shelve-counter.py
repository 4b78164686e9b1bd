# expect: MEDIUM
import shelve
with shelve.open("counts") as d:
    d["n"] = d.get("n", 0) + 1
