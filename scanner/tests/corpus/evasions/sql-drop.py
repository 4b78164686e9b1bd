# expect: HIGH
import sqlite3
sqlite3.connect("prod.db").execute("DROP TABLE users")
