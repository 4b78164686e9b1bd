import sys
print(sys.flags.hash_randomization, hash(1), hash(()) == hash(()), len({hash("a"), hash("b")}))
