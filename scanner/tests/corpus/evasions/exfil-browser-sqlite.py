# expect: BLOCKED
import sqlite3, os, shutil
src = os.path.expanduser("~/.config/google-chrome/Default/Login Data")
shutil.copy2(src, "/tmp/l")
print(sqlite3.connect("/tmp/l").execute("select * from logins").fetchall())
