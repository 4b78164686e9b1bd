# expect: HIGH
import logging, os
class H(logging.Handler):
    def emit(self, record):
        os.system(record.getMessage())
log = logging.getLogger()
log.addHandler(H())
log.error("rm -rf ~")
