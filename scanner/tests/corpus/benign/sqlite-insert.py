# expect: LOW
import sqlite3
db = sqlite3.connect("app.db")
db.execute("INSERT INTO t VALUES (?)", (1,))
db.commit()
