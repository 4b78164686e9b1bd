# expect: LOW
class Handler:
    def do_start(self): return "started"
    def do_stop(self): return "stopped"

    def dispatch(self, verb):
        method = getattr(self, f"do_{verb}", None)
        if method is None:
            raise ValueError(f"unknown verb {verb}")
        return method()

print(Handler().dispatch("start"))
