# expect: LOW
from contextvars import ContextVar
request_id = ContextVar("request_id", default="-")
t = request_id.set("42")
print(request_id.get())
request_id.reset(t)
