# expect: MEDIUM
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
