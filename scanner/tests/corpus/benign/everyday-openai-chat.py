# expect: LOW
import os
from openai import OpenAI

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
history = [{"role": "system", "content": "You are helpful."}]
while True:
    q = input("> ")
    if q in {"exit", "quit"}:
        break
    history.append({"role": "user", "content": q})
    r = client.chat.completions.create(model="gpt-4o-mini", messages=history)
    a = r.choices[0].message.content
    history.append({"role": "assistant", "content": a})
    print(a)
