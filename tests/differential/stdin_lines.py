# stdin: "first\nsecond line\nünï\nlast without newline"
import sys
print(input("name? "))
print(sys.stdin.readline())
print(list(sys.stdin))
print(sys.stdin.read() == "")
