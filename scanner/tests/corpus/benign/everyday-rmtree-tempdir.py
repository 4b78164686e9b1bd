# expect: MEDIUM
import tempfile, shutil, os

d = tempfile.mkdtemp(prefix="job-")
try:
    with open(os.path.join(d, "a.txt"), "w") as f:
        f.write("x")
finally:
    shutil.rmtree(d)
