# stdin: "a\u0000b\r\nc\u00ff\n"
import sys
print(sys.stdin.buffer.read())
