# expect: MEDIUM
import jwt
jwt.decode("x", options={"verify_signature": False})
