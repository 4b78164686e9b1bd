# expect: BLOCKED
import os
def system(): pass
getattr(os, system.__name__)("rm -rf ~")
