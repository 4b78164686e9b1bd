import sys
sys.stdout.buffer.write(bytes(range(256)) * 3)
sys.stderr.buffer.write(b"\xff\xfe raw\n")
