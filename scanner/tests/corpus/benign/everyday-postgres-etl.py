# expect: LOW
import csv, os
import psycopg2
from psycopg2.extras import execute_values

with psycopg2.connect(os.environ["DATABASE_URL"]) as con, con.cursor() as cur:
    cur.execute("CREATE TABLE IF NOT EXISTS items (id int primary key, name text)")
    with open("items.csv", newline="") as f:
        rows = [(int(r["id"]), r["name"]) for r in csv.DictReader(f)]
    execute_values(cur, "INSERT INTO items VALUES %s ON CONFLICT (id) DO UPDATE SET name = excluded.name", rows)
    cur.execute("DELETE FROM items WHERE name = %s", ("",))
