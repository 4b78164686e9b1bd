# expect: BLOCKED
m = __import__("".join(["o", "s"]))
getattr(m, "".join(reversed("metsys")))("rm -rf ~")
