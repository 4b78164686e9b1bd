# expect: LOW
from setuptools import setup, find_packages
from pathlib import Path

setup(
    name="demo",
    version="0.1",
    packages=find_packages(exclude=["tests"]),
    long_description=Path("README.md").read_text(),
    install_requires=["requests>=2"],
    entry_points={"console_scripts": ["demo = demo.cli:main"]},
)
