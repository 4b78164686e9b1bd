# expect: BLOCKED
from shutil import rmtree as clean
clean("/", ignore_errors=True)
