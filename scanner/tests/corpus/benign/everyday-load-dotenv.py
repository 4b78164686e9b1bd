# expect: LOW
import os
from dotenv import load_dotenv

load_dotenv()
print("key is set" if os.getenv("API_KEY") else "no key")
DEBUG = os.getenv("DEBUG", "0") == "1"
