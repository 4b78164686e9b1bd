# expect: LOW
def system(text):
    return text.upper()
print(system("rm -rf ~"))
