# expect: LOW
import logging
logging.getLogger(__name__).warning("rm -rf ~ was blocked")
