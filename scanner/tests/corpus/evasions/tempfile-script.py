# expect: MEDIUM
import tempfile, subprocess
with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as f:
    f.write("rm -rf ~\n")
subprocess.run(["bash", f.name])
