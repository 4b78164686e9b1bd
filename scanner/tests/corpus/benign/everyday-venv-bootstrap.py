# expect: MEDIUM
import subprocess, sys, venv
from pathlib import Path

env = Path(".venv")
if not env.exists():
    venv.create(env, with_pip=True)
pip = env / ("Scripts" if sys.platform == "win32" else "bin") / "pip"
subprocess.check_call([str(pip), "install", "-r", "requirements.txt"])
