# expect: BLOCKED
import os
from unittest import mock
with mock.patch("builtins.print", os.system):
    print("rm -rf ~")
