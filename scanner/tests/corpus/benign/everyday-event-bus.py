# expect: LOW
from collections import defaultdict
from typing import Callable


class Bus:
    def __init__(self):
        self._subs: dict[str, list[Callable]] = defaultdict(list)

    def on(self, name):
        def deco(f):
            self._subs[name].append(f)
            return f
        return deco

    def emit(self, name, *a, **k):
        return [f(*a, **k) for f in self._subs[name]]


bus = Bus()


@bus.on("hello")
def greet(who):
    print("hi", who)


bus.emit("hello", "you")
