# expect: MEDIUM
import subprocess

def version():
    out = subprocess.run(["git", "describe", "--tags", "--always"], capture_output=True, text=True, check=True)
    return out.stdout.strip()

print(version())
