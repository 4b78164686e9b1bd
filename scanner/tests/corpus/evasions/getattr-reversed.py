# expect: BLOCKED
import os
getattr(os, "metsys"[::-1])("rm -rf ~")
