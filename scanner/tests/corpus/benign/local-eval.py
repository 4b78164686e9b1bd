# expect: LOW
def eval(text):
    return len(text)
print(eval("__import__('os')"))
