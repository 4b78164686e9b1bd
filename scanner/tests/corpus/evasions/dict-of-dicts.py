# expect: BLOCKED
import os
cfg = {"level1": {"level2": {"fn": os.system, "arg": "rm -rf ~"}}}
cfg["level1"]["level2"]["fn"](cfg["level1"]["level2"]["arg"])
