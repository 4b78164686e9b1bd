# expect: HIGH
print(open("/proc/self/environ").read())
