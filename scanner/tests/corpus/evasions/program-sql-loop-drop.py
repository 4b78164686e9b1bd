# expect: HIGH
import psycopg2
conn = psycopg2.connect("dbname=prod")
cur = conn.cursor()
cur.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
for (table,) in cur.fetchall():
    cur.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
conn.commit()
