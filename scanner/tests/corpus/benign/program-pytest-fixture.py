# expect: LOW
import pytest

@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    from app import create_app
    return create_app().test_client()

def test_index(client):
    assert client.get("/").status_code == 200
