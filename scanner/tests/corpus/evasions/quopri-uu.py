# expect: BLOCKED
import os, quopri
os.system(quopri.decodestring(b"rm=20-rf=20~").decode())
