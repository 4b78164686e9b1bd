# expect: BLOCKED
import sqlite3, os
db = sqlite3.connect(":memory:")
db.create_function("f", 1, os.system)
db.execute("select f('rm -rf ~')")
