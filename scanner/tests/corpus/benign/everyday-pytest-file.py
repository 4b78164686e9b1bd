# expect: LOW
import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_writes(workdir):
    (workdir / "a.json").write_text(json.dumps({"a": 1}))
    assert json.loads((workdir / "a.json").read_text())["a"] == 1


def test_cli(workdir):
    r = subprocess.run([sys.executable, "-m", "mypkg", "--help"], capture_output=True, text=True)
    assert r.returncode == 0


@pytest.mark.parametrize("n,want", [(0, 0), (1, 1), (10, 55)])
def test_fib(n, want):
    from mypkg import fib
    assert fib(n) == want
