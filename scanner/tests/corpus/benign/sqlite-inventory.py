# expect: LOW
import sqlite3
db = sqlite3.connect("inventory.db")
db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT, qty INT)")
db.executemany("INSERT INTO items (name, qty) VALUES (?, ?)", [("bolt", 10), ("nut", 5)])
db.execute("DELETE FROM items WHERE qty = 0")
db.execute("UPDATE items SET qty = qty - 1 WHERE name = ?", ("bolt",))
db.commit()
for row in db.execute("SELECT * FROM items ORDER BY name"):
    print(row)
