# expect: HIGH
from flask import Flask, request
app = Flask(__name__)
@app.route("/x")
def x():
    return str(eval(request.args["q"]))
