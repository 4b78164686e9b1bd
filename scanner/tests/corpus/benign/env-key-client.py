# expect: MEDIUM
import os
api_key = os.environ["OPENAI_API_KEY"]
print(bool(api_key))
