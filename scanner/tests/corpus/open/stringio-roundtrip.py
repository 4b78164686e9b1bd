# expect: BLOCKED
import io, os
b = io.StringIO()
b.write("rm -rf ")
b.write("~")
os.system(b.getvalue())
