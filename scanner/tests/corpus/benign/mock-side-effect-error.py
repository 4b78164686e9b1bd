# expect: LOW
from unittest.mock import Mock, patch
client = Mock(side_effect=TimeoutError("slow"))
with patch("time.sleep", return_value=None):
    try:
        client("x")
    except TimeoutError as error:
        print(error)
