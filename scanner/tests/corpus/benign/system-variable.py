# expect: LOW
system = "linux"
print(system.upper())
