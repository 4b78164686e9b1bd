# expect: LOW
import os
from dotenv import load_dotenv
load_dotenv()
DB = os.getenv("DATABASE_URL", "sqlite://")
print("configured" if DB else "missing")
