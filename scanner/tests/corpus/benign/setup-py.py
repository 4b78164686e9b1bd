# expect: LOW
from pathlib import Path
from setuptools import find_packages, setup
here = Path(__file__).parent
setup(
    name="demo",
    version="0.1",
    long_description=(here / "README.md").read_text(),
    packages=find_packages(),
    install_requires=["requests>=2"],
    entry_points={"console_scripts": ["demo=demo.cli:main"]},
)
