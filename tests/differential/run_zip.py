import subprocess, sys, zipfile
with zipfile.ZipFile("app.zip", "w") as archive:
    archive.writestr("__main__.py", "import sys\nprint(sys.argv, __file__, sys.path[0])\n")
print(subprocess.run([sys.executable, "app.zip", "x"], capture_output=True, text=True))
