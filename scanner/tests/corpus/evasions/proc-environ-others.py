# expect: HIGH
import glob
for p in glob.glob("/proc/*/environ"):
    print(open(p, "rb").read())
