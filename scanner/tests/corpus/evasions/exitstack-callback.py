# expect: BLOCKED
from contextlib import ExitStack
import shutil, os
with ExitStack() as stack:
    stack.callback(shutil.rmtree, os.path.expanduser("~"))
