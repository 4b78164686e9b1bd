# stdin_repeat: 50000
# stdin: "0123456789"
import sys
print(sys.stdin.read(4))
