# expect: MEDIUM
import sqlite3
db = sqlite3.connect(":memory:")
db.enable_load_extension(True)
db.load_extension("/tmp/x.so")
