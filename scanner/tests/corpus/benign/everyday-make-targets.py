# expect: MEDIUM
import subprocess, sys, os

def sh(cmd):
    print("+", cmd)
    subprocess.run(cmd, shell=True, check=True)

targets = {"test": "pytest -q", "lint": "ruff check .", "build": "python -m build", "clean": "rm -rf build dist *.egg-info"}
for t in sys.argv[1:] or ["test"]:
    sh(targets[t])
