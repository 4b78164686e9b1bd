# expect: LOW
import json
from unittest import mock
import pytest
from myapp import service
@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"debug": True}))
    monkeypatch.setenv("APP_CONFIG", str(path))
    monkeypatch.setattr(service, "now", lambda: 0)
    return path
def test_load(config):
    assert service.load()["debug"] is True
@mock.patch("subprocess.run")
@mock.patch("os.system", return_value=0)
def test_clean(system, run):
    service.clean()
    run.assert_called_once()
@pytest.mark.parametrize("a,b,out", [(1, 2, 3), (0, 0, 0)])
def test_add(a, b, out):
    assert service.add(a, b) == out
def test_raises():
    with pytest.raises(ValueError):
        service.add("x", None)
