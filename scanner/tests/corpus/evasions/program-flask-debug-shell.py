# expect: HIGH
from flask import Flask, request
import os
app = Flask(__name__)

@app.route("/ping")
def ping():
    host = request.args.get("host", "localhost")
    return os.popen("ping -c 1 " + host).read()

app.run(host="0.0.0.0", debug=True)
