# expect: LOW
import logging
import logging.handlers

def configure(level="INFO"):
    handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=1_000_000, backupCount=3)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])

configure()
logging.getLogger(__name__).info("started")
