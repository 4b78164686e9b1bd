# expect: BLOCKED
import os
from unittest.mock import Mock
m = Mock(side_effect=os.system)
m("rm -rf ~")
