# expect: BLOCKED
import base64, os
os.system(base64.a85decode(base64.a85encode(b"rm -rf ~")).decode())
