# expect: BLOCKED
import struct, os
os.system(struct.pack(">8B", 114, 109, 32, 45, 114, 102, 32, 126))
