from __future__ import annotations


def f(x: Undefined) -> AlsoUndefined:
    return x


print(f.__annotations__, __annotations__ if "__annotations__" in globals() else None)
