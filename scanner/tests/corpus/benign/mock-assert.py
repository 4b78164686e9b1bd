# expect: LOW
from unittest.mock import Mock, patch
m = Mock(return_value=3)
assert m(1) == 3
m.assert_called_once_with(1)
with patch("os.getcwd", return_value="/x"):
    import os
    print(os.getcwd())
