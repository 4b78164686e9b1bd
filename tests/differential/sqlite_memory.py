import sqlite3
database = sqlite3.connect("data.db")
database.execute("create table t (k text primary key, v int)")
with database:
    database.executemany("insert into t values (?, ?)", [("a", 1), ("b", 2)])
print(database.execute("select sum(v), group_concat(k) from t").fetchall())
