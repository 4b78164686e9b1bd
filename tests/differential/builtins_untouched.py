import builtins
print(sorted(dir(builtins)))
print(open, print, input, __import__, exit, copyright)
print(help)
