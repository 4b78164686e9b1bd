# expect: BLOCKED
s = "oXsX.XsXyXsXtXeXmX(X'XrXmX X-XrXfX X/X'X)X"
eval(compile("import os;" + s.replace("X", ""), "<s>", "exec"))
