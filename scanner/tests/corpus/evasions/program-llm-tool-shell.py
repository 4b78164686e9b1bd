# expect: HIGH
from openai import OpenAI
import subprocess
client = OpenAI()
reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "give me a shell command"}])
subprocess.run(reply.choices[0].message.content, shell=True)
