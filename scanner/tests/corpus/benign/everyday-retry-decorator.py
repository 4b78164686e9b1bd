# expect: LOW
import functools, logging, random, time

log = logging.getLogger(__name__)


def retry(times=3, wait=0.5, errors=(OSError,)):
    def deco(f):
        @functools.wraps(f)
        def inner(*args, **kwargs):
            for n in range(times):
                try:
                    return f(*args, **kwargs)
                except errors as e:
                    if n == times - 1:
                        raise
                    log.warning("retry %s: %s", f.__name__, e)
                    time.sleep(wait * 2 ** n + random.random())
        return inner
    return deco


@retry()
def load(p):
    with open(p) as f:
        return f.read()


print(load("a.txt"))
