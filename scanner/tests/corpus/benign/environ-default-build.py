# expect: MEDIUM
import os, shutil
shutil.rmtree(os.environ.get("BUILD_DIR", "build"), ignore_errors=True)
print(os.getenv("PORT", "8000"), __import__("os.path").path.join("a", "b"))
