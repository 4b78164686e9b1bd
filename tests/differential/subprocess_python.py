import subprocess, sys
code = "import sys; print(sys.argv, sys.path[1:], sorted(sys.modules)); sys.exit(5)"
result = subprocess.run([sys.executable, "-c", code, "arg"], capture_output=True, text=True)
print(result.returncode, result.stdout, result.stderr)
result = subprocess.run([sys.executable, "-m", "this"], capture_output=True, text=True)
print(len(result.stdout))
