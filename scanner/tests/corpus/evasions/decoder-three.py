# expect: BLOCKED
def d(s):
    return "".join(chr(ord(c) ^ 5) for c in s)
getattr(__import__(d("jv")), d("v|vq`h"))(d("wh%(wc%{"))
