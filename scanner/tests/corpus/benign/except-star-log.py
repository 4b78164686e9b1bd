# expect: LOW
import logging
try:
    raise ExceptionGroup("g", [ValueError("rm -rf ~")])
except* ValueError as group:
    logging.error("bad: %s", group.exceptions)
