# expect: LOW
import json
import os
from dataclasses import dataclass, field

@dataclass
class Settings:
    debug: bool = False
    hosts: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path="config.json"):
        with open(path) as f:
            raw = json.load(f)
        return cls(debug=raw.get("debug", False), hosts=raw["hosts"])

print(Settings.load(os.environ.get("APP_CONFIG", "config.json")))
