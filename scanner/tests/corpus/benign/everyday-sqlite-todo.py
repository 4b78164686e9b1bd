# expect: LOW
import sqlite3, argparse

con = sqlite3.connect("todo.db")
con.execute("CREATE TABLE IF NOT EXISTS todo (id INTEGER PRIMARY KEY, text TEXT, done INT DEFAULT 0)")
p = argparse.ArgumentParser()
sub = p.add_subparsers(dest="cmd", required=True)
a = sub.add_parser("add"); a.add_argument("text", nargs="+")
d = sub.add_parser("done"); d.add_argument("id", type=int)
sub.add_parser("list")
args = p.parse_args()
with con:
    if args.cmd == "add":
        con.execute("INSERT INTO todo (text) VALUES (?)", (" ".join(args.text),))
    elif args.cmd == "done":
        con.execute("UPDATE todo SET done = 1 WHERE id = ?", (args.id,))
for i, t, done in con.execute("SELECT id, text, done FROM todo ORDER BY id"):
    print(f"[{'x' if done else ' '}] {i} {t}")
