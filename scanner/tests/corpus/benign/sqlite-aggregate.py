# expect: LOW
import sqlite3
db = sqlite3.connect(":memory:")
db.create_function("double", 1, lambda x: x * 2)
print(db.execute("select double(4)").fetchone())
