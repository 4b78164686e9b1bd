# stdin_repeat: 200000
# stdin: "0123456789"
import hashlib, sys
data = sys.stdin.buffer.read()
print(len(data), hashlib.sha256(data).hexdigest())
