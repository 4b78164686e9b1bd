# expect: LOW
import sqlite3

db = sqlite3.connect("notes.db")
db.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT)")
with db:
    db.execute("INSERT INTO notes (body) VALUES (?)", ("hello",))
for row in db.execute("SELECT id, body FROM notes ORDER BY id DESC LIMIT 5"):
    print(*row)
