# expect: MEDIUM
import json, os, subprocess
from openai import OpenAI

client = OpenAI()
ALLOWED = {"ls": ["ls", "-la"], "date": ["date"], "status": ["git", "status"]}


def run(name):
    return subprocess.run(ALLOWED[name], capture_output=True, text=True, timeout=10).stdout


tools = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object", "properties": {"name": {"enum": list(ALLOWED)}}}}}]
r = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "status?"}], tools=tools)
for call in r.choices[0].message.tool_calls or []:
    print(run(json.loads(call.function.arguments)["name"]))
