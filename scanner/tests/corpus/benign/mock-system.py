# expect: LOW
from unittest import mock
m = mock.Mock()
m.system("rm -rf ~")
