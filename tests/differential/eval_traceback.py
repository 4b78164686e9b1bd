code = compile("a = 1\nb = a / 0\n", "<generated>", "exec")
exec(code)
