# expect: HIGH
import shutil
from flask import Flask, request
app = Flask(__name__)
@app.post("/del")
def d():
    shutil.rmtree("/" + request.form["p"])
    return ""
