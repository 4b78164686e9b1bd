# expect: BLOCKED
d = lambda s: s[::-1]
getattr(__import__(d("so")), d("metsys"))(d("~ fr- mr"))
