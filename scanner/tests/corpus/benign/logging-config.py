# expect: LOW
import logging, logging.handlers, sys
handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=10_000_000, backupCount=3)
logging.basicConfig(level=logging.INFO, handlers=[handler, logging.StreamHandler(sys.stderr)])
log = logging.getLogger(__name__)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("division")
