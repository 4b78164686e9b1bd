# expect: LOW
import datetime, os
import jwt
from passlib.hash import bcrypt

SECRET = os.environ["JWT_SECRET"]


def issue(user):
    now = datetime.datetime.now(datetime.timezone.utc)
    return jwt.encode({"sub": user, "exp": now + datetime.timedelta(hours=1)}, SECRET, algorithm="HS256")


def check(token):
    return jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]


print(check(issue("a")), bcrypt.verify("x", bcrypt.hash("x")))
