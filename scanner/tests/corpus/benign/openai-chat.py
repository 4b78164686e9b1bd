# expect: MEDIUM
import os
from openai import OpenAI
client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
print(reply.choices[0].message.content)
