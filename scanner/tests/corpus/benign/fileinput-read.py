# expect: LOW
import fileinput
for line in fileinput.input("notes.txt"):
    print(line.rstrip())
