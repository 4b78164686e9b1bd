# expect: LOW
import os, datetime, jwt
SECRET = os.environ["JWT_SECRET"]
token = jwt.encode({"sub": 1, "exp": datetime.datetime.utcnow() + datetime.timedelta(hours=1)}, SECRET, algorithm="HS256")
print(jwt.decode(token, SECRET, algorithms=["HS256"]))
