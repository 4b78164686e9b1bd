# expect: HIGH
import pty
pty.spawn("/bin/sh")
