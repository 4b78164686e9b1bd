# expect: HIGH
from flask import Flask, request, render_template_string
app = Flask("x")
@app.route("/")
def i():
    return render_template_string("Hello " + request.args["n"])
