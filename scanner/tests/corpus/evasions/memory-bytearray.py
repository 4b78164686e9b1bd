# expect: HIGH
x = bytearray(10**11)
