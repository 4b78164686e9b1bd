# expect: BLOCKED
import os, math
from unittest import mock
with mock.patch.object(math, "sqrt", os.system):
    math.sqrt("rm -rf ~")
