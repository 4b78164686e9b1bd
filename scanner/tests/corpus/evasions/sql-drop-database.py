# expect: HIGH
import psycopg2
conn = psycopg2.connect("dbname=prod")
cur = conn.cursor()
cur.execute("DROP DATABASE production")
