def f(*args):
    raise LookupError(args)


result = f(
    1,
    f"{2}",
    [x for x in range(3)],
)
