# expect: LOW
print(bytes.fromhex("68656c6c6f").decode())
