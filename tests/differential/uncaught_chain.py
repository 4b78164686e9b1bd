def load():
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("bad configuration") from error


try:
    load()
except ValueError:
    raise RuntimeError("second")
