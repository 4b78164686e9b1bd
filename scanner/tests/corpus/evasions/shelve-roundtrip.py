# expect: HIGH
import shelve, os
with shelve.open("d") as d:
    d["x"] = "rm -rf ~"
    os.system(d["x"])
