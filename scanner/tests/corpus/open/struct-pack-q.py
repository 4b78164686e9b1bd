# expect: BLOCKED
import os, struct
os.system(struct.pack(">Q", 8245922115889766014).decode())
