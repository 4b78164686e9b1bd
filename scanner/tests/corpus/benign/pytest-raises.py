# expect: LOW
import pytest
def test():
    with pytest.raises(ValueError):
        int("x")
