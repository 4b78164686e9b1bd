# expect: BLOCKED
import io, os
b = io.StringIO()
print("rm", "-rf", "~", file=b)
os.system(b.getvalue())
