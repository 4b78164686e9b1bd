import logging
logging.basicConfig(format="%(levelname)s %(name)s %(filename)s:%(lineno)d %(funcName)s %(message)s")


def f():
    logging.getLogger("app").warning("careful %s", 3)
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("failed")


f()
