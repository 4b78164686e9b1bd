# expect: HIGH
import sqlite3
db = sqlite3.connect("app.db")
for (name,) in db.execute("select name from sqlite_master where type='table'").fetchall():
    db.execute(f"DROP TABLE {name}")
