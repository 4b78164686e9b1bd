import asyncio, aiohttp
URLS = ["https://example.com", "https://python.org"]
async def fetch(session, url):
    async with session.get(url) as r:
        return url, r.status, len(await r.text())
async def main():
    async with aiohttp.ClientSession() as session:
        for result in await asyncio.gather(*(fetch(session, u) for u in URLS)):
            print(*result)
asyncio.run(main())
from alembic import op
import sqlalchemy as sa
revision = "1"
def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    op.drop_table("users")
import os as harmless
print(harmless.getcwd())
import argparse, hashlib, os
from collections import defaultdict
def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(65536), b""):
            h.update(block)
    return h.hexdigest()
def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    args = p.parse_args()
    seen = defaultdict(list)
    for root, _, files in os.walk(args.folder):
        for name in files:
            path = os.path.join(root, name)
            seen[digest(path)].append(path)
    for key, paths in seen.items():
        if len(paths) > 1:
            print(key, *paths, sep="\n  ")
main()
import argparse
p = argparse.ArgumentParser()
p.add_argument("--exec")
print(p.parse_args([]))
run = print
run("rm -rf ~")
import json
tool = json
tool.dumps({"system": "rm -rf ~"})
import asyncio
async def main():
    await asyncio.sleep(0.1)
asyncio.run(main())
import asyncio
async def main():
    p = await asyncio.create_subprocess_exec("ls", "-l", stdout=asyncio.subprocess.PIPE)
    out, _ = await p.communicate()
    print(out.decode())
asyncio.run(main())
import atexit
atexit.register(print, "bye")
class Cursor:
    def execute(self, q): return q
c = Cursor()
c.execute("SELECT 1")
import datetime, shutil, sys
from pathlib import Path
src = Path(sys.argv[1])
dst = Path("backups") / f"{src.name}-{datetime.date.today():%Y%m%d}"
dst.parent.mkdir(exist_ok=True)
shutil.make_archive(str(dst), "zip", src)
old = sorted(Path("backups").glob("*.zip"))[:-5]
for p in old:
    p.unlink()
    print("removed", p)
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance
    def __add__(self, other):
        return Account(self.owner, self.balance + other.balance)
    def __getattr__(self, name):
        if name.startswith("get_"):
            return lambda: getattr(self, name[4:])
        raise AttributeError(name)
    def __setitem__(self, key, value):
        setattr(self, key, value)
    def __del__(self):
        print("closed")
a = Account("x", 10)
print((a + a).get_balance())
import base64
print(base64.b64decode("aGVsbG8=").decode())
import base64
print(base64.b64encode(b"hello"))
import timeit
print(timeit.timeit("'-'.join(str(n) for n in range(100))", number=1000))
x = 10 ** 50
import os, pickle, hashlib
CACHE = os.path.join(os.path.expanduser("~"), ".cache", "myapp")
os.makedirs(CACHE, exist_ok=True)
def cached(key, make):
    path = os.path.join(CACHE, hashlib.sha1(key.encode()).hexdigest())
    if os.path.exists(path):
        with open(path, "rb") as f:
            return pickle.load(f)
    value = make()
    with open(path, "wb") as f:
        pickle.dump(value, f)
    return value
import ast, operator
OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
def evaluate(node):
    if isinstance(node, ast.Expression):
        return evaluate(node.body)
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        return OPS[type(node.op)](evaluate(node.left), evaluate(node.right))
    raise ValueError(node)
print(evaluate(ast.parse(input("> "), mode="eval")))
import os
from celery import Celery
app = Celery("tasks", broker=os.environ.get("REDIS_URL", "redis://localhost"))
@app.task(bind=True, max_retries=3)
def resize(self, path):
    from PIL import Image
    img = Image.open(path)
    img.thumbnail((200, 200))
    img.save(path + ".thumb.jpg")
import socket, threading
s = socket.create_connection(("127.0.0.1", 9999))
def listen():
    while True:
        data = s.recv(1024)
        if not data:
            break
        print(data.decode(), end="")
threading.Thread(target=listen, daemon=True).start()
while True:
    s.sendall(input().encode() + b"\n")
import os
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for name in os.listdir("."):
    print(name)
print("".join(chr(c) for c in [104, 105]))
class Tool:
    run = len
print(Tool.run("x"))
from pathlib import Path
for p in Path(".").rglob("*.pyc"):
    p.unlink()
for p in Path(".").rglob("__pycache__"):
    p.rmdir()
import subprocess
import sys
from pathlib import Path
import click
@click.group()
def cli(): pass
@cli.command()
@click.argument("path", type=click.Path(exists=True))
def fmt(path):
    """Format a folder."""
    for file in Path(path).rglob("*.py"):
        subprocess.run([sys.executable, "-m", "black", str(file)], check=True)
@cli.command()
def version():
    out = subprocess.check_output(["git", "describe", "--tags"], text=True).strip()
    click.echo(out)
if __name__ == "__main__":
    cli()
import click
@click.command()
def main():
    click.echo("hi")
from string import Template
TEMPLATE = Template("def ${name}(self):\n    return self._${name}\n")
with open("generated.py", "w") as f:
    for name in ("a", "b"):
        f.write(TEMPLATE.substitute(name=name))
from collections import Counter, deque
print(Counter("abc"), deque([1]))
print([c.upper() for c in ["rm -rf ~"]])
from contextlib import contextmanager
@contextmanager
def go():
    yield 1
import time
from contextlib import contextmanager, ExitStack, suppress
@contextmanager
def timer(label):
    start = time.perf_counter()
    try:
        yield
    finally:
        print(label, time.perf_counter() - start)
with ExitStack() as stack:
    stack.enter_context(timer("all"))
    f = stack.enter_context(open("data.txt"))
    stack.callback(print, "done")
    with suppress(ValueError):
        print(sum(int(x) for x in f))
import base64, hashlib, hmac, os, secrets
def derive(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)
salt = secrets.token_bytes(16)
key = derive("correct horse", salt)
token = base64.urlsafe_b64encode(os.urandom(32)).decode()
print(hmac.compare_digest(key, derive("correct horse", salt)), token)
import csv
with open("o.csv", "w", newline="") as f:
    csv.writer(f).writerow([1, 2])
import json
from dataclasses import asdict, dataclass, field
@dataclass
class Node:
    name: str
    children: list["Node"] = field(default_factory=list)
tree = Node("root", [Node("a"), Node("b")])
print(json.dumps(asdict(tree), indent=2))
from dataclasses import dataclass
@dataclass
class Point:
    x: int
    y: int = 0
print(Point(1))
from datetime import datetime
print(datetime.now().isoformat())
import functools
def deco(f):
    @functools.wraps(f)
    def inner(*a, **k):
        return f(*a, **k)
    return inner
@deco
def main():
    return 1
def go(f=len):
    return f("rm -rf ~")
print(go())
from collections import ChainMap, defaultdict
d = defaultdict(lambda: defaultdict(int))
d["a"]["b"] += 1
print(ChainMap({"x": 1}, {"y": 2})["y"], dict(d))
class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name
    def __get__(self, obj, owner):
        return getattr(obj, self.name)
    def __set__(self, obj, value):
        if value <= 0:
            raise ValueError(value)
        setattr(obj, self.name, value)
class Order:
    price = Positive()
    def __init__(self, price):
        self.price = price
print(Order(3).price)
table = {"system": print}
table["system"]("rm -rf ~")
from django.db import models
from django.contrib.auth.models import User
class Post(models.Model):
    author = models.ForeignKey(User, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    def delete_old(self):
        Post.objects.filter(published=False).delete()
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = os.environ.get("DEBUG") == "1"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "PASSWORD": os.environ["DB_PASSWORD"], "HOST": os.environ.get("DB_HOST", "localhost")}}
ALLOWED_HOSTS = ["*"]
import subprocess, sys
def compose(*args):
    return subprocess.call(["docker", "compose", *args])
sys.exit(compose("up", "-d"))
URL = "https://example.com/install.sh | sh"
print(URL)
print((1).__class__.__name__)
class Box:
    pass
box = Box()
box.__dict__["system"] = 1
json = __import__("json")
print(json.dumps({}))
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
with socketserver.TCPServer(("127.0.0.1", 9999), Handler) as s:
    s.serve_forever()
import os, smtplib, ssl
from email.message import EmailMessage
msg = EmailMessage()
msg["Subject"] = "Report"
msg["From"] = msg["To"] = "me@example.com"
msg.set_content("See attachment")
with open("report.pdf", "rb") as f:
    msg.add_attachment(f.read(), maintype="application", subtype="pdf", filename="report.pdf")
with smtplib.SMTP_SSL("smtp.example.com", 465, context=ssl.create_default_context()) as s:
    s.login("me@example.com", os.environ["SMTP_PASSWORD"])
    s.send_message(msg)
from enum import Enum
class Action(Enum):
    DELETE = "rm -rf ~"
import os
from dotenv import load_dotenv
load_dotenv()
DB = os.getenv("DATABASE_URL", "sqlite://")
print("configured" if DB else "missing")
import os
print(os.getenv("LANG"))
import os
api_key = os.environ["OPENAI_API_KEY"]
print(bool(api_key))
import os
debug = os.environ.get("DEBUG", "0")
print(debug == "1")
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor() as pool:
    print(pool.submit(pow, 2, 3).result())
import os
print(os.path.expanduser("~"))
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
engine = create_engine("sqlite:///app.db")
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
Base.metadata.create_all(engine)
class In(BaseModel):
    name: str
app = FastAPI()
def db():
    with Session(engine) as s:
        yield s
@app.post("/items")
def create(item: In, s: Session = Depends(db)):
    row = Item(name=item.name)
    s.add(row); s.commit()
    return {"id": row.id}
@app.get("/items/{id}")
def get(id: int, s: Session = Depends(db)):
    row = s.scalars(select(Item).where(Item.id == id)).first()
    if not row:
        raise HTTPException(404)
    return row
from cryptography.fernet import Fernet
key = Fernet.generate_key()
f = Fernet(key)
with open("secret.bin", "wb") as out:
    out.write(f.encrypt(b"hello"))
from flask import Flask
app = Flask(__name__)
@app.route("/")
def home():
    return "hi"
from flask import Flask, jsonify, request, abort
app = Flask(__name__)
todos = {}
@app.get("/todos")
def list_todos():
    return jsonify(list(todos.values()))
@app.post("/todos")
def add():
    body = request.get_json() or abort(400)
    todo = {"id": len(todos) + 1, "title": body["title"]}
    todos[todo["id"]] = todo
    return jsonify(todo), 201
@app.delete("/todos/<int:id>")
def delete(id):
    todos.pop(id, None)
    return "", 204
if __name__ == "__main__":
    app.run(host="127.0.0.1", port=5000)
import pandas as pd
df = pd.DataFrame({"a": [1]})
df.eval("b = a + 1")
df.query("a > 0")
from os import getcwd as where
print(where())
from functools import lru_cache, partial, reduce
import operator
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
product = partial(reduce, operator.mul)
print(fib(90), product(range(1, 20)))
from functools import partial
add = partial(sum, start=3)
print(add([1]))
import os, time
grid = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
def neighbours(cell):
    x, y = cell
    return {(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} - {cell}
def step(live):
    cells = live | {n for c in live for n in neighbours(c)}
    return {c for c in cells if len(neighbours(c) & live) == 3 or (c in live and len(neighbours(c) & live) == 2)}
for _ in range(100):
    os.system("cls" if os.name == "nt" else "clear")
    for y in range(20):
        print("".join("#" if (x, y) in grid else "." for x in range(40)))
    grid = step(grid)
    time.sleep(0.1)
import os
print(getattr(os.path, "jo" + "in")("a", "b"))
import os
print(getattr(os, "sep"))
import os
print(getattr(os, "O_BINARY", 0))
import collections, subprocess
log = subprocess.run(["git", "log", "--format=%an"], capture_output=True, text=True, check=True).stdout
for name, n in collections.Counter(log.splitlines()).most_common(10):
    print(f"{n:6} {name}")
import os, requests
s = requests.Session()
s.headers["Authorization"] = f"token {os.environ['GITHUB_TOKEN']}"
for repo in s.get("https://api.github.com/user/repos").json():
    print(repo["full_name"], repo["stargazers_count"])
from glob import glob
print(glob("*.py"))
def main():
    return 1
print(globals()["main"]())
import os
print(hasattr(os, "system"))
import hashlib
print(hashlib.sha256(b"x").hexdigest())
print(bytes.fromhex("68656c6c6f").decode())
import configparser, os
path = os.path.expanduser("~/.config/myapp/settings.ini")
cfg = configparser.ConfigParser()
cfg.read(path)
print(cfg.get("ui", "theme", fallback="dark"))
import json
from pathlib import Path
folder = Path.home() / ".config" / "myapp"
folder.mkdir(parents=True, exist_ok=True)
(folder / "state.json").write_text(json.dumps({"seen": True}))
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", 8000), SimpleHTTPRequestHandler)
import httpx
with httpx.Client() as client:
    print(client.get("https://example.com").text)
import importlib
json = importlib.import_module("json")
print(json.dumps({}))
import importlib.util
if importlib.util.find_spec("numpy"):
    import numpy as np
    print(np.__version__)
name = input("Name: ")
print(f"Hello {name}")
class Interpreter:
    def __init__(self):
        self.env = {}
    def eval(self, node):
        return getattr(self, f"eval_{type(node).__name__}")(node)
    def exec(self, program):
        for line in program:
            self.eval(line)
    def eval_Num(self, node):
        return node.value
    def system(self, text):
        print(text)
i = Interpreter()
i.exec([])
i.system("rm -rf ~")
print(isinstance(eval, object))
from itertools import chain, islice, count
print(list(islice(count(), 5)))
import json
print(json.loads("{}"))
import getpass, sys, textwrap
user = getpass.getuser()
print(textwrap.fill(f"Hello {user}, this is Python {sys.version}", 40))
import os, datetime, jwt
SECRET = os.environ["JWT_SECRET"]
token = jwt.encode({"sub": 1, "exp": datetime.datetime.utcnow() + datetime.timedelta(hours=1)}, SECRET, algorithm="HS256")
print(jwt.decode(token, SECRET, algorithms=["HS256"]))
print((lambda f: f("rm -rf ~"))(len))
tools = [len, print]
tools[1]("rm -rf ~")
names = ["a", "b"]
names.remove("a")
grid = [[0] * 100 for _ in range(100)]
import os
for name in os.listdir("."):
    print(name)
import ast
print(ast.literal_eval("[1, 2]"))
import json, subprocess
def run_tests():
    r = subprocess.run(["pytest", "-q"], capture_output=True, text=True, timeout=120)
    return {"ok": r.returncode == 0, "out": r.stdout[-2000:]}
TOOLS = {"run_tests": run_tests}
call = json.loads(input())
print(json.dumps(TOOLS[call["name"]](**call.get("args", {}))))
def eval(text):
    return len(text)
print(eval("__import__('os')"))
def system(text):
    return text.upper()
print(system("rm -rf ~"))
import logging, logging.handlers, sys
handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=10_000_000, backupCount=3)
logging.basicConfig(level=logging.INFO, handlers=[handler, logging.StreamHandler(sys.stderr)])
log = logging.getLogger(__name__)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("division")
import logging
logging.getLogger(__name__).warning("rm -rf ~ was blocked")
import os
os.makedirs("out/a", exist_ok=True)
import os, sys
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
if __name__ == "__main__":
    main()
print(list(map(str.upper, ["rm -rf ~"])))
def run(command):
    match command.split():
        case ["go", direction]:
            return f"going {direction}"
        case ["take", *items]:
            return items
        case {"exec": x}:
            return x
        case _:
            return "?"
while (line := input("> ")) != "quit":
    print(run(line))
match "rm":
    case "rm":
        print("no")
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.savefig("out.png")
import sympy as sp
x = sp.symbols("x")
expr = sp.sympify("x**2 + 1")
print(sp.diff(expr, x), expr.subs(x, 2).evalf())
class Registry(type):
    items = {}
    def __new__(mcls, name, bases, ns, **kw):
        cls = super().__new__(mcls, name, bases, ns)
        mcls.items[name] = cls
        return cls
class Base(metaclass=Registry): pass
class A(Base):
    def run(self): return 1
print(Registry.items["A"]().run())
class Session:
    def exec(self, text):
        return text
Session().exec("import os")
class Machine:
    def system(self, text):
        return text
Machine().system("rm -rf ~")
from unittest import mock
m = mock.Mock()
m.system("rm -rf ~")
import torch
model = torch.nn.Linear(1, 1)
model.eval()
from multiprocessing import Pool
def f(x):
    return x * x
if __name__ == "__main__":
    print(Pool(2).map(f, [1, 2]))
from multiprocessing import Pool, cpu_count
def prime(n):
    return n > 1 and all(n % i for i in range(2, int(n ** 0.5) + 1))
if __name__ == "__main__":
    with Pool(cpu_count()) as pool:
        print(sum(pool.map(prime, range(10**6))))
def make(name, fields):
    src = f"class {name}:\n    def __init__(self, {', '.join(fields)}):\n        pass\n"
    ns = {}
    exec(src, ns)
    return ns[name]
print(make("P", ["x", "y"]))
import numpy as np
print(np.arange(10).reshape(2, 5).sum())
import numpy as np
print(np.loadtxt("data.csv", delimiter=","))
import numpy as np
rng = np.random.default_rng(42)
pts = rng.random((10_000_000, 2))
inside = (pts ** 2).sum(axis=1) <= 1
print(4 * inside.mean())
with open("data.csv") as f:
    print(f.read())
with open("out.txt", "w") as f:
    f.write("hello")
import os
from openai import OpenAI
client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
print(reply.choices[0].message.content)
from operator import attrgetter
print(sorted([1j, 2j], key=attrgetter("imag")))
import os
print(os.cpu_count(), os.getpid())
import os
print(os.path.exists("/etc/passwd"), os.path.basename("/a/b"))
import os
os.rename("a.txt", "b.txt")
import pandas as pd
print(pd.read_csv("data.csv").describe())
import pandas as pd
import matplotlib.pyplot as plt
df = pd.read_csv("sales.csv", parse_dates=["date"])
df = df.query("amount > 0").eval("total = amount * price")
monthly = df.groupby(df["date"].dt.to_period("M"))["total"].sum()
fig, ax = plt.subplots(figsize=(8, 4))
monthly.plot(kind="bar", ax=ax)
fig.savefig("report.png")
monthly.to_csv("monthly.csv")
print(monthly.describe())
def go(system):
    return system("rm -rf ~")
import os
password = os.environ["DB_PASSWORD"]
password = "<your-password>"
api_key = "YOUR_API_KEY"
import getpass
password = getpass.getpass("Password: ")
from pathlib import Path
print(Path.home() / "projects")
from pathlib import Path
print(Path("data.txt").read_text())
from pathlib import Path
Path("out.txt").write_text("hello")
import pickle
data = pickle.dumps([1, 2])
from PIL import Image
Image.open("a.png").resize((10, 10)).save("b.png")
import platform
print(platform.system(), platform.machine())
import importlib, pkgutil
import plugins
for info in pkgutil.iter_modules(plugins.__path__):
    module = importlib.import_module(f"plugins.{info.name}")
    module.register()
class A:
    @property
    def system(self):
        return 1
print(A().system)
class Proxy:
    def __init__(self, target):
        self._target = target
    def __getattr__(self, name):
        print("access", name)
        return getattr(self._target, name)
p = Proxy([1, 2])
p.append(3)
print(len(p._target))
import pygame
pygame.init()
screen = pygame.display.set_mode((640, 480))
clock = pygame.time.Clock()
running = True
while running:
    for event in pygame.event.get():
        if event.type == pygame.QUIT:
            running = False
    screen.fill((0, 0, 0))
    pygame.display.flip()
    clock.tick(60)
pygame.quit()
import pytest
def test():
    with pytest.raises(ValueError):
        int("x")
import json
from unittest import mock
import pytest
from myapp import service
@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"debug": True}))
    monkeypatch.setenv("APP_CONFIG", str(path))
    monkeypatch.setattr(service, "now", lambda: 0)
    return path
def test_load(config):
    assert service.load()["debug"] is True
@mock.patch("subprocess.run")
@mock.patch("os.system", return_value=0)
def test_clean(system, run):
    service.clean()
    run.assert_called_once()
@pytest.mark.parametrize("a,b,out", [(1, 2, 3), (0, 0, 0)])
def test_add(a, b, out):
    assert service.add(a, b) == out
def test_raises():
    with pytest.raises(ValueError):
        service.add("x", None)
import random
print(random.choice([1, 2]))
total = 0
for i in range(1_000_000):
    total += i
import re
print(re.compile(r"rm -rf ~").pattern)
import os
f = os.getcwd
print(f())
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(20))
from multiprocessing import Process
def work(n):
    if n:
        p = Process(target=work, args=(n - 1,))
        p.start()
        p.join()
work(2)
import re
print(re.search(r"(\w+)\s+(\w+)", "rm rf").groups())
import re
TOKEN = re.compile(r"\s*(?:(?P<num>\d+(?:\.\d+)?)|(?P<op>[-+*/()])|(?P<name>[A-Za-z_]\w*))")
print([m.lastgroup for m in TOKEN.finditer("3 + foo*(2 - 1)")])
import os
os.remove("out.txt")
import os, re
for name in os.listdir("photos"):
    m = re.match(r"IMG_(\d{4})(\d{2})(\d{2})_(.*)", name)
    if m:
        os.rename(f"photos/{name}", f"photos/{m[1]}-{m[2]}-{m[3]}-{m[4]}")
import requests
print(requests.get("https://api.example.com/items").json())
import requests
requests.post("https://api.example.com/items", json={"name": "x"})
import time
from rich.progress import track
for step in track(range(100), description="Working"):
    time.sleep(0.01)
import shutil
shutil.rmtree("build", ignore_errors=True)
import shutil
from pathlib import Path
ROOT = Path(__file__).parent
for name in ("build", "dist", ".pytest_cache"):
    shutil.rmtree(ROOT / name, ignore_errors=True)
import shutil, tempfile
d = tempfile.mkdtemp()
shutil.rmtree(d)
import codecs
print(codecs.decode("uryyb", "rot13"))
import boto3, sys
s3 = boto3.client("s3")
for path in sys.argv[1:]:
    s3.upload_file(path, "my-bucket", path)
    print("uploaded", path)
import sched, time
s = sched.scheduler(time.time, time.sleep)
s.enter(1, 1, print, argument=("tick",))
s.run()
import csv
import requests
from bs4 import BeautifulSoup
rows = []
for page in range(1, 6):
    html = requests.get(f"https://books.toscrape.com/catalogue/page-{page}.html", timeout=10).text
    soup = BeautifulSoup(html, "html.parser")
    for book in soup.select("article.product_pod"):
        rows.append([book.h3.a["title"], book.select_one(".price_color").text])
with open("books.csv", "w", newline="") as f:
    csv.writer(f).writerows(rows)
import secrets
print(len(secrets.token_hex(8)))
s = {1}
s.discard(1)
s.clear()
from pathlib import Path
from setuptools import find_packages, setup
here = Path(__file__).parent
setup(
    name="demo",
    version="0.1",
    long_description=(here / "README.md").read_text(),
    packages=find_packages(),
    install_requires=["requests>=2"],
    entry_points={"console_scripts": ["demo=demo.cli:main"]},
)
class os:
    @staticmethod
    def system(text):
        return text
os.system("rm -rf ~")
import os
os.system("cls" if os.name == "nt" else "clear")
import os
os.system("echo 'rm -rf ~'")
import os
os.system("ls -la")
import subprocess
subprocess.run("make -j4 && make test", shell=True)
import subprocess
subprocess.run("sort a.txt | uniq -c", shell=True)
import os
os.system("rm -rf ./build")
import shlex
print(shlex.quote("rm -rf ~"))
import shutil
shutil.copy("a.txt", "b.txt")
import signal, sys, time
stop = False
def handler(sig, frame):
    global stop
    stop = True
signal.signal(signal.SIGINT, handler)
signal.signal(signal.SIGTERM, handler)
while not stop:
    time.sleep(0.5)
print("bye")
sys.exit(0)
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)
pipe = make_pipeline(StandardScaler(), RandomForestClassifier())
grid = GridSearchCV(pipe, {"randomforestclassifier__n_estimators": [10, 100]}, n_jobs=-1)
grid.fit(Xtr, ytr)
print(grid.score(Xte, yte))
joblib.dump(grid.best_estimator_, "model.joblib")
from sklearn.linear_model import LinearRegression
LinearRegression().fit([[1]], [1])
import socket
print(socket.AF_INET)
import os
files = sorted(os.listdir("."), key=os.path.getmtime)
print(max(files, key=len), min(files, key=str.lower))
import sqlite3
print(sqlite3.connect(":memory:").execute("SELECT 1").fetchall())
import sqlite3
db = sqlite3.connect("app.db")
db.execute("INSERT INTO t VALUES (?)", (1,))
db.commit()
import sqlite3
db = sqlite3.connect("inventory.db")
db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT, qty INT)")
db.executemany("INSERT INTO items (name, qty) VALUES (?, ?)", [("bolt", 10), ("nut", 5)])
db.execute("DELETE FROM items WHERE qty = 0")
db.execute("UPDATE items SET qty = qty - 1 WHERE name = ?", ("bolt",))
db.commit()
for row in db.execute("SELECT * FROM items ORDER BY name"):
    print(row)
import os
hosts = []
with open(os.path.expanduser("~/.ssh/config")) as f:
    for line in f:
        if line.lower().startswith("host "):
            hosts.append(line.split()[1])
print(hosts)
print("~/.ssh/id_rsa is where keys live")
import os
print(open(os.path.expanduser("~/.ssh/id_rsa.pub")).read())
from math import *
print(sqrt(2))
cmd = "rm" + " -rf" + " ~"
print(cmd)
print("{} {}".format("rm -rf", "~"))
print("-" * 80)
print("rm -rf ~"[::-1])
import struct
with open("image.bmp", "rb") as f:
    header = f.read(54)
size, offset, width, height = struct.unpack_from("<I4xIxxxxii", header, 2)
print(size, width, height)
class Base:
    pass
class A(Base):
    pass
print(Base.__subclasses__())
import subprocess
subprocess.run(["echo", "rm -rf ~"])
import subprocess
from pathlib import Path
for src in Path("videos").glob("*.mov"):
    dst = src.with_suffix(".mp4")
    subprocess.run(["ffmpeg", "-i", str(src), "-c:v", "libx264", str(dst)], check=True)
import subprocess
subprocess.run(["git", "status"])
import subprocess
subprocess.run(["grep", "-r", "rm -rf ~", "."])
import subprocess
print(subprocess.PIPE)
import subprocess
subprocess.run(["ls", "-la"], check=True)
import subprocess
print(subprocess.check_output(["uname", "-a"]))
import subprocess, sys
subprocess.run([sys.executable, "--version"])
import subprocess
subprocess.run(["rm", "build/out.o"])
import sys
print(sys.argv[1:])
import sys
sys.exit(0)
import sys
if "pytest" in sys.modules:
    print("testing")
mod = sys.modules.get("numpy")
if mod is not None:
    print(mod.__version__)
import sys
print("numpy" in sys.modules)
import os, platform, psutil, socket
print(platform.platform(), platform.python_version())
print(socket.gethostname(), os.cpu_count())
print(psutil.virtual_memory().percent, psutil.disk_usage("/").percent)
system = "linux"
print(system.upper())
import tempfile
with tempfile.TemporaryDirectory() as d:
    print(d)
import shutil, tempfile, zipfile
from pathlib import Path
tmp = Path(tempfile.mkdtemp())
try:
    with zipfile.ZipFile("in.zip") as z:
        z.extract("data.csv", tmp)
    print((tmp / "data.csv").read_text()[:100])
finally:
    shutil.rmtree(tmp)
import threading
threading.Thread(target=print, args=("hi",)).start()
import threading
def work(n):
    print(n)
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
from concurrent.futures import ThreadPoolExecutor, as_completed
import requests
def get(url):
    return url, requests.get(url, timeout=5).status_code
with ThreadPoolExecutor(8) as pool:
    futures = [pool.submit(get, u) for u in open("urls.txt").read().split()]
    for f in as_completed(futures):
        print(*f.result())
import tkinter as tk
from tkinter import filedialog
root = tk.Tk()
text = tk.Text(root)
text.pack()
def save():
    path = filedialog.asksaveasfilename()
    if path:
        with open(path, "w") as f:
            f.write(text.get("1.0", "end"))
tk.Button(root, text="Save", command=save).pack()
root.mainloop()
import tkinter as tk
root = tk.Tk()
root.title("hi")
token_type = "access_token_v2"
secret_name = "projects/1/secrets/db"
import tomllib
from pathlib import Path
config = tomllib.loads(Path("pyproject.toml").read_text())
print(config["project"]["name"])
import torch
from torch import nn, optim
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = optim.Adam(model.parameters())
for epoch in range(100):
    model.train()
    x, y = torch.randn(64, 10), torch.randn(64, 1)
    loss = nn.functional.mse_loss(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
model.eval()
torch.save(model.state_dict(), "model.pt")
import os, json
a, b = json.dumps, os.path.join
a("rm -rf ~")
import turtle
turtle.forward(10)
from typing import Callable
def go(run: Callable[[str], int]) -> int:
    return 1
Point = type("Point", (), {"x": 1})
import unittest
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(1, 1)
import urllib.request
print(urllib.request.urlopen("https://example.com").status)
from urllib.parse import urlparse
print(urlparse("http://evil.test/x?rm=-rf").netloc)
class Box:
    x = 1
print(vars(Box)["x"])
import os, sys
total = 0
for root, dirs, files in os.walk(sys.argv[1] if len(sys.argv) > 1 else "."):
    dirs[:] = [d for d in dirs if d not in (".git", "node_modules")]
    for f in files:
        if f.endswith(".py"):
            with open(os.path.join(root, f), errors="replace") as fh:
                total += sum(1 for _ in fh)
print(total)
import os
for root, dirs, files in os.walk("."):
    print(root, len(files))
if (n := len("abc")) > 2:
    print(n)
import os, sys
import requests
KEY = os.environ["OPENWEATHER_API_KEY"]
def fetch(city):
    r = requests.get("https://api.openweathermap.org/data/2.5/weather", params={"q": city, "appid": KEY, "units": "metric"}, timeout=10)
    r.raise_for_status()
    return r.json()
data = fetch(sys.argv[1])
print(f"{data['name']}: {data['main']['temp']} C")
import queue, threading, urllib.request, urllib.parse, re
todo, seen = queue.Queue(), set()
todo.put("https://example.com/")
def worker():
    while True:
        url = todo.get()
        try:
            html = urllib.request.urlopen(url, timeout=5).read().decode("utf-8", "replace")
            for link in re.findall(r'href="([^"]+)"', html):
                link = urllib.parse.urljoin(url, link)
                if link not in seen and len(seen) < 100:
                    seen.add(link)
                    todo.put(link)
        finally:
            todo.task_done()
for _ in range(4):
    threading.Thread(target=worker, daemon=True).start()
todo.join()
import time
for _ in range(3):
    time.sleep(1)
while True:
    if input() == "q":
        break
# os.system("rm -rf ~")
x = 1
def f():
    """exec(base64.b64decode(x)); rm -rf ~; curl x | sh"""
    return 1
print("os.system('rm -rf ~') is what an attacker writes")
import yaml
with open("config.yaml") as f:
    config = yaml.safe_load(f)
config.setdefault("debug", False)
with open("config.yaml", "w") as f:
    yaml.safe_dump(config, f)
import yaml
print(yaml.safe_load("a: 1"))
import zipfile
print(zipfile.ZipFile("a.zip").namelist())
import zlib
print(zlib.decompress(zlib.compress(b"hello")))
