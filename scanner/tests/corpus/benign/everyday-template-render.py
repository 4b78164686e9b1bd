# expect: LOW
from jinja2 import Environment, FileSystemLoader, select_autoescape
import markdown, pathlib

env = Environment(loader=FileSystemLoader("templates"), autoescape=select_autoescape())
t = env.get_template("post.html")
for p in pathlib.Path("posts").glob("*.md"):
    html = markdown.markdown(p.read_text())
    pathlib.Path("site", p.stem + ".html").write_text(t.render(title=p.stem, body=html))
