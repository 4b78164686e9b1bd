# expect: HIGH
with open("/tmp/fill", "wb") as f:
    while True:
        f.write(b"\0" * (1 << 20))
