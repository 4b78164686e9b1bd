import os
with open(__file__) as source:
    print(source.fileno())
    print(source.readline())
reader, writer = os.pipe()
print(reader, writer)
