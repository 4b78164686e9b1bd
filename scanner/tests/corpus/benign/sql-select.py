# expect: LOW
import sqlite3
print(sqlite3.connect(":memory:").execute("SELECT 1").fetchall())
