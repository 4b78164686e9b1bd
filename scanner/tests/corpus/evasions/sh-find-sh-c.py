# expect: BLOCKED
import os
os.system("find ~ -type d -exec sh -c 'rm -rf \"$1\"' _ {} \\;")
