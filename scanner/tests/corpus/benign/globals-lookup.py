# expect: LOW
def main():
    return 1
print(globals()["main"]())
