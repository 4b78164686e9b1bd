# expect: LOW
def go(system):
    return system("rm -rf ~")
