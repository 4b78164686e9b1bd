# expect: HIGH
print(open("/etc/shadow").read())
