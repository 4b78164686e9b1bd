# expect: BLOCKED
from plumbum import local
local["rm"]["-rf", "/home"]()
