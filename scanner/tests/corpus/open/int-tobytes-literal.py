# expect: BLOCKED
import os
os.system((8245922115889766014).to_bytes(8, "big").decode())
