# expect: HIGH
def g():
    yield g_.gi_frame.f_back.f_globals["__builtins__"]
g_ = g()
next(g_)["eval"]("__import__('os').system('id')")
