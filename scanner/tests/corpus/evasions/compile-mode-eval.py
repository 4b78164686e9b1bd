# expect: BLOCKED
code = compile("__import__('shutil').rmtree('/home')", "<s>", "eval")
eval(code)
