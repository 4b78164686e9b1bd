"""Runs the project's tests in a process of their own."""
import subprocess
import sys

run = subprocess.run(
    [sys.executable, "-m", "unittest", "-q", "test_calc"],
    capture_output=True,
    text=True,
)
print("tests passed" if run.returncode == 0 else run.stderr)
