# expect: LOW
def go(f=len):
    return f("rm -rf ~")
print(go())
