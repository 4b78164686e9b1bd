# expect: BLOCKED
import logging, os
logging.basicConfig(filename=os.path.expanduser("~/.bashrc"), format="%(message)s")
logging.warning("evil")
